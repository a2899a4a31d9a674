"""Sets rates and workers while three processes push, and reads from the target's log what came of it."""
import signal, time

from hq import Target, counts, haulier, start, stop, until

HOLD = 24  # seconds at each rate
RATES = [5, 100, 1000, 50, 2000]


def shares():
    """The workers of each living worker process."""
    return [process['workers'] for process in haulier('explain')['processes'] if process['workers'] is not None]


def tune(*settings):
    """Gives when the command began, and when every process had applied it."""
    began = time.time()
    said = haulier('tune', *settings, '--force')
    if said['missing']:
        raise SystemExit(f'bench: not applied by {said["missing"]}')
    return began, time.time()


def reached(times, begin, rate, span=0.5):
    """Seconds from then until a window of this span begins that holds the rate within a tenth; in words."""
    if rate * span < 20:
        return '-'
    hits = (at for at, count in counts(times, begin, begin + 20, span, 0.01) if abs(count / span / rate - 1) <= 0.1)
    found = next(hits, None)
    return 'never' if found is None else f'{found - begin:.2f}s'


target = Target(7714)
processes = [start('produce')] + [start('work') for _ in range(3)]
produce, *workers = processes
try:
    until(lambda: target.stats()['requests'] >= 5, 60)
    until(lambda: len(shares()) == 3, 30, 0.2)
    # What waits in the queue is enough for the fastest rate.
    time.sleep(5)
    held = []
    for rate in RATES:
        began, applied = tune(f'push.rate={rate}')
        time.sleep(HOLD)
        held.append((rate, began, applied, time.time()))

    refused = [status for _, _, status in target.requests() if status >= 300]
    if refused:
        raise SystemExit(f'bench: the target refused {len(refused)} requests, with {refused[0]} first')
    print(f'{"rate/s":>7} {"windows":>8} {"least":>8} {"most":>8} {"error":>7} {"most in 1 s":>12} {"command":>8} {"reached":>8}')
    times = [at for at, _, _ in target.requests()]
    for rate, began, applied, end in held:
        # A second after the command at the latest: that is promised, too.
        tens = [count for _, count in counts(times, applied + 0.5, end, 10)]
        ones = [count for _, count in counts(times, applied + 0.5, end, 1)]
        error = max(abs(count / 10 / rate - 1) for count in tens)
        print(f'{rate:7} {len(tens):8} {min(tens) / 10:8.1f} {max(tens) / 10:8.1f} {error:7.1%} {max(ones):12}'
              f' {applied - began:7.2f}s {reached(times, began, rate):>8}')

    # Workers: at 150 ms a request, so that those in flight can be counted.
    tune('push.rate=none', 'push.workers=2')
    target.faults(latency_ms=150)
    until(lambda: target.stats()['in_flight'] == 2, 10)
    began, applied = tune('push.workers=16')
    until(lambda: target.stats()['in_flight'] == 16, 30)
    raised = time.time() - began
    began, applied = tune('push.workers=3')
    until(lambda: target.stats()['in_flight'] <= 3, 30)
    lowered, most = time.time() - began, 0
    while time.time() < began + lowered + 5:
        most = max(most, target.stats()['in_flight'])
        time.sleep(0.01)
    print(f'\nworkers 2 -> 16: 16 in flight at the target {raised:.2f} s after the command was typed')
    print(f'workers 16 -> 3: 3 after {lowered:.2f} s, and {most} at most in the five seconds after')

    # One of three is killed: its share goes to the others.
    target.faults(latency_ms=0)
    tune('push.rate=300', 'push.workers=12')
    time.sleep(4)
    killed = time.time()
    workers[0].send_signal(signal.SIGKILL)
    until(lambda: sorted(shares()) == [6, 6], 30, 0.1)
    moved = time.time() - killed
    time.sleep(4)
    times = [at for at, _, _ in target.requests()]
    lost = next(at for at, count in counts(times, killed, killed + 20, 1) if count < 250) - killed
    back = next(at for at, count in counts(times, killed + lost, killed + 20, 1) if count >= 294) - killed
    print(f'one of three killed at 300/s: below 250/s from {lost:.1f} s on, again above 294/s from {back:.1f} s on;'
          f' shares moved after {moved:.1f} s')
finally:
    stop(*processes, target.process)
