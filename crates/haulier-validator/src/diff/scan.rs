//! Reads two files at once, chunk by chunk, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::DiffError;
use crate::foreign::{Chunk, Foreign, Problem};
use crate::meter::Meter;

/// What a thread does with chunks.
pub(super) trait Worker: Send {
    /// One chunk of a side; says how many of its rows are done with.
    fn chunk(&mut self, side: usize, chunk: &Chunk) -> Result<u64, Fault>;
    /// No more chunks.
    fn finish(self) -> Result<(), DiffError>;
}

/// What went wrong with a chunk.
#[derive(Debug)]
pub(super) enum Fault {
    /// The chunk itself; the place is within it.
    Text(Problem),
    /// Something else.
    Other(DiffError),
}

/// Gives every chunk of both files to one of the workers.
///
/// The first mistake of the first file that has one is told, whatever thread met it when.
pub(super) fn scan<W: Worker>(
    files: [&Foreign; 2],
    threads: usize,
    meter: &Meter,
    worker: impl Fn() -> W,
) -> Result<(), DiffError> {
    let threads = threads.max(1);
    // The first side that is read no further, nor those behind it. A side before the one with a mistake is read on: it may have one.
    let stop = AtomicUsize::new(usize::MAX);
    let faults: Mutex<Vec<(usize, u64, DiffError)>> = Mutex::new(Vec::new());
    let note = |side: usize, offset: u64, error: DiffError| {
        let from = if matches!(error, DiffError::Csv(_)) { side } else { 0 };
        stop.fetch_min(from, Ordering::Relaxed);
        if let Ok(mut faults) = faults.lock() {
            faults.push((side, offset, error));
        }
    };
    let (send, receive) = sync_channel::<(usize, Chunk)>(threads);
    let receive = Mutex::new(receive);
    let (give_back, spare) = sync_channel::<Vec<u8>>(2 * threads + 4);
    let spare = Mutex::new(spare);
    thread::scope(|scope| {
        for (side, file) in files.into_iter().enumerate() {
            let (send, note, spare, stop) = (send.clone(), &note, &spare, &stop);
            scope.spawn(move || {
                if let Err((offset, error)) = read(side, file, &send, spare, stop) {
                    note(side, offset, error);
                }
            });
        }
        drop(send);
        for mut worker in (0..threads).map(|_| worker()) {
            let (receive, give_back, note) = (&receive, give_back.clone(), &note);
            scope.spawn(move || {
                while let Some((side, chunk)) = next(receive) {
                    let done = match worker.chunk(side, &chunk) {
                        Ok(rows) => meter.add(rows, chunk.text.len() as u64).map_err(DiffError::from),
                        Err(Fault::Other(error)) => Err(error),
                        Err(Fault::Text(problem)) => {
                            let file = files.get(side).copied();
                            Err(file.map_or(DiffError::Thread, |file| {
                                file.told(problem.shifted(chunk.offset)).into()
                            }))
                        }
                    };
                    if let Err(error) = done {
                        note(side, chunk.offset, error);
                    }
                    // A spare too many is simply freed.
                    let _kept = give_back.try_send(chunk.text);
                }
                if let Err(error) = worker.finish() {
                    note(usize::MAX, u64::MAX, error);
                }
            });
        }
    });
    let mut faults = faults.into_inner().map_err(|_| DiffError::Thread)?;
    faults.sort_by_key(|(side, offset, _)| (*side, *offset));
    faults.into_iter().next().map_or(Ok(()), |(_, _, error)| Err(error))
}

fn next(receive: &Mutex<Receiver<(usize, Chunk)>>) -> Option<(usize, Chunk)> {
    receive.lock().ok()?.recv().ok()
}

fn read(
    side: usize,
    file: &Foreign,
    send: &SyncSender<(usize, Chunk)>,
    spare: &Mutex<Receiver<Vec<u8>>>,
    stop: &AtomicUsize,
) -> Result<(), (u64, DiffError)> {
    let mut chunks = file.chunks().map_err(|error| (0, error.into()))?;
    let mut end = 0;
    while side < stop.load(Ordering::Relaxed) {
        let memory = spare.lock().ok().and_then(|spare| spare.try_recv().ok()).unwrap_or_default();
        let next = chunks.next(memory).map_err(|problem| (end, file.told(problem).into()))?;
        let Some(chunk) = next else { return Ok(()) };
        end = chunk.offset + chunk.text.len() as u64;
        if send.send((side, chunk)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
