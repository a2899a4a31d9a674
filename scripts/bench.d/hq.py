"""hq-sandbox and haulier for benchmarks: started, asked, and read from the target's own request log."""
import bisect, datetime, json, os, subprocess, time, urllib.request

BIN = os.environ['BIN']


class Target:
    """A running hq-sandbox with a request log."""

    def __init__(self, port, folder='.', faults=()):
        self.url, self.log = f'http://127.0.0.1:{port}', f'{folder}/requests.jsonl'
        command = [f'{BIN}/hq-sandbox', '--listen', f'127.0.0.1:{port}', '--store', 'memory', '--log', self.log]
        self.process = subprocess.Popen([*command, *faults], stderr=subprocess.DEVNULL)
        until(lambda: self.ask('/_sandbox/stats'), 30)

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {'authorization': 'Bearer bench', 'content-type': 'application/json'}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=5) as reply:
            return json.load(reply)

    def stats(self):
        return self.ask('/_sandbox/stats')

    def faults(self, **faults):
        self.ask('/_sandbox/faults', faults)

    def requests(self):
        """What it answered: when each came, what it took in ms, and its status; in the order in which they came."""
        found = []
        for line in open(self.log):
            one = json.loads(line)
            if one['method'] == 'PUT':
                answered = datetime.datetime.fromisoformat(one['time']).timestamp()
                found.append((answered - one['took_us'] / 1e6, one['took_us'] / 1000, one['status']))
        return sorted(found)


def until(ready, seconds, every=0.01):
    """Waits until something is so, and gives it."""
    end = time.time() + seconds
    while True:
        try:
            found = ready()
            if found:
                return found
        except OSError:
            pass
        if time.time() > end:
            raise SystemExit('bench: waited in vain')
        time.sleep(every)


def haulier(*args, folder='.'):
    """Runs a command and gives its JSON."""
    ended = subprocess.run([f'{BIN}/haulier', *args, '--json'], cwd=folder, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f'bench: haulier {" ".join(args)}: {ended.stderr}')
    return json.loads(ended.stdout.splitlines()[-1])


def start(*args, folder='.'):
    """Starts a process, with its words in a file."""
    words = open(f'{folder}/{args[0]}.log', 'a')
    return subprocess.Popen([f'{BIN}/haulier', *args, '--no-progress'], cwd=folder, stdout=words, stderr=words)


def stop(*processes):
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def counts(times, begin, end, span, step=0.1):
    """How many of the sorted times lie in each window of this span between begin and end."""
    found, at = [], begin
    while at + span <= end:
        found.append((at, bisect.bisect_left(times, at + span) - bisect.bisect_left(times, at)))
        at += step
    return found
