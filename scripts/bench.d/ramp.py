"""Runs the tolerance law, and a fixed number of workers, against targets that differ, and reads their request logs."""
import os, sys, time

from hq import Target, start, stop

LONG = int(sys.argv[1])
AFTER = min(60, LONG / 2)  # the ramp itself
P95_MS = 250  # what the target's owner agreed to
SITE = '''[source]
url = "sqlite:../source.sqlite"
[queue]
url = "embedded:state/queue.sqlite"
[ledger]
url = "sqlite:state/ledger.sqlite"
[target]
base_url = "http://127.0.0.1:{port}/api/v1"
auth = {{ bearer = {{ file = "../hq.token" }} }}
[push]
workers = 64
[tolerance]
p95 = "{p95}ms"
ramp = "{ramp}"
'''
# Name, ramp, slots, what changes when, and the law in the reference simulation: ok/s, p50 and p95 in ms, share over, 429, 5xx.
SCENES = [
    ('fixed 64', 'off', 8, [], (100, 639, None, 1, 0, 0)),
    ('plain', 'auto', 8, [], (100, 88, 140, 0, 0, 0)),
    ('429 above 60/s', 'auto', 32, [(0, {'rate_per_s': 60})], (60, 77, 125, 0, 0.009, 0)),
    ('four times slower', 'auto', 8, [(200, {'latency_ms': 320}), (300, {'latency_ms': 80})], (67, 84, 146, 0.28, 0, 0)),
    ('30 % 503', 'auto', 8, [(200, {'error_share': 0.3}), (260, {'error_share': 0})], (81, 82, 133, 0, 0, 0.019)),
]


class Scene:
    def __init__(self, index, name, ramp, slots, changes, reference):
        self.name, self.changes, self.reference, self.port = name, list(changes), reference, 7720 + index
        self.folder = f'scene{index}'
        os.makedirs(self.folder)
        open(f'{self.folder}/site.toml', 'w').write(SITE.format(port=self.port, p95=P95_MS, ramp=ramp))
        os.symlink('../plan.toml', f'{self.folder}/plan.toml')
        faults = ['--slots', str(slots), '--latency-ms', '80']
        self.target = Target(self.port, self.folder, faults)
        self.run, self.began = start('run', folder=self.folder), time.time()
        # One after the other, so that none is measured by the others' start.
        time.sleep(3)

    def turn(self):
        while self.changes and time.time() - self.began >= self.changes[0][0] * LONG / 420:
            self.target.faults(**self.changes.pop(0)[1])

    def figures(self):
        requests = self.target.requests()
        begin = requests[0][0]
        requests = [(at - begin, took, status) for at, took, status in requests if AFTER <= at - begin < LONG]
        ok = sorted((took for _, took, status in requests if status < 300))
        share = lambda fits: sum(fits(status) for _, _, status in requests) / len(requests)
        stretches = [[] for _ in range(int(LONG - AFTER) // 10)]
        for at, took, status in requests:
            if status < 300 and (place := int(at - AFTER) // 10) < len(stretches):
                stretches[place].append(took)
        over = sum(bool(found) and quantile(sorted(found), 0.95) > P95_MS for found in stretches) / len(stretches)
        throttled, failed = share(lambda status: status == 429), share(lambda status: status >= 500)
        return len(ok) / (LONG - AFTER), quantile(ok, 0.5), quantile(ok, 0.95), over, throttled, failed


def quantile(found, share):
    return found[int(share * (len(found) - 1))]


def line(name, ok, p50, p95, over, throttled, failed, in_flight):
    number = lambda value: '-' if value is None else f'{value:.0f}'
    print(f'{name:32} {ok:7.1f} {number(p50):>7} {number(p95):>7} {over:7.1%} {throttled:6.1%} {failed:6.1%} {in_flight:>10}')


scenes = [Scene(index, *scene) for index, scene in enumerate(SCENES)]
try:
    while time.time() < scenes[-1].began + LONG + 2:
        for scene in scenes:
            scene.turn()
        time.sleep(0.2)
    in_flight = [scene.target.stats()['in_flight'] for scene in scenes]
finally:
    stop(*(process for scene in scenes for process in (scene.run, scene.target.process)))

found = [scene.figures() for scene in scenes]
print(f'{"target":32} {"ok/s":>7} {"p50 ms":>7} {"p95 ms":>7} {"over":>7} {"429":>6} {"5xx":>6} {"in flight":>10}')
for scene, figures, flying in zip(scenes, found, in_flight):
    line(scene.name, *figures, flying)
    line('  reference simulation', *scene.reference, '')
fixed, band = found[0], found[1]
print(f'\nfixed 64 beside the law: {fixed[1] / band[1]:.1f} times its p50, {band[0] / fixed[0]:.1%} of its throughput')
