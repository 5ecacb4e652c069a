//! Work that comes in order, is done by several threads, and is taken back in order.
//!
//! Three closures say what there is to do: `next` fills in a job, one caller at a time; `work` does it, on any
//! thread; `take` takes what came of it, on the caller's thread, in the order in which `next` gave the jobs. So
//! what comes out does not depend on how many threads there were. Jobs are used again, with the memory that they
//! hold, and only a few are under way at once, so that a slow taker is never buried.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs that are done before any thread is started: small inputs are finished by then.
const ALONE: usize = 2;

/// More threads than this would only wait for each other.
const MOST_WORKERS: usize = 8;

/// Does all jobs that `next` gives until it answers `false`, or `take` has enough.
///
/// A panic in `work` or `next` reaches the caller.
pub(crate) fn run<J: Default + Send>(
    next: impl FnMut(&mut J) -> bool + Send,
    work: impl Fn(&mut J) + Sync,
    take: impl FnMut(&mut J) -> ControlFlow<()>,
) {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
    run_with(workers, next, work, take);
}

/// Does two things at the same time, or one after the other where the system refuses a thread.
pub(crate) fn both<A: Send, B>(one: impl Fn() -> A + Sync, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().spawn_scoped(scope, &one);
        let other = other();
        let one = match spawned {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => one(),
        };
        (one, other)
    })
}

fn run_with<J: Default + Send>(
    workers: usize,
    mut next: impl FnMut(&mut J) -> bool + Send,
    work: impl Fn(&mut J) + Sync,
    mut take: impl FnMut(&mut J) -> ControlFlow<()>,
) {
    let mut job = J::default();
    let mut done = 0;
    while workers == 1 || done < ALONE {
        if !next(&mut job) {
            return;
        }
        work(&mut job);
        if take(&mut job).is_break() {
            return;
        }
        done += 1;
    }
    let pool = Pool {
        next: Mutex::new(next),
        queue: Mutex::new(Queue::holding(job)),
        ready: Condvar::new(),
        room: Condvar::new(),
    };
    std::thread::scope(|scope| {
        // From here on, a thread that leaves closes the queue for all.
        let _closing = pool.closing();
        let spawn = || std::thread::Builder::new().spawn_scoped(scope, || pool.help(&work, workers * 3));
        // The system may refuse threads: then everything is done here.
        let helpers = (0..workers).map_while(|_| spawn().ok()).count();
        while helpers > 0 || pool.step(&work, 1) {
            let Some(mut job) = pool.first() else { return };
            if take(&mut job).is_break() {
                return;
            }
            pool.reuse(job);
        }
    });
}

struct Pool<N, J> {
    /// Gives the jobs; the thread that holds the lock also takes the next number.
    next: Mutex<N>,
    queue: Mutex<Queue<J>>,
    /// The first job is done, or there will be none.
    ready: Condvar,
    /// There is room for another job, or none is wanted.
    room: Condvar,
}

/// What the threads share.
struct Queue<J> {
    /// The jobs that were begun and not yet taken, in order; those that are done are there.
    started: VecDeque<Option<J>>,
    /// How many were taken before the first of them.
    taken: usize,
    /// Jobs to use again.
    spare: Vec<J>,
    /// No further job will be begun.
    finished: bool,
    /// Finished jobs are no longer taken.
    closed: bool,
}

impl<J> Queue<J> {
    fn holding(spare: J) -> Self {
        Self { started: VecDeque::new(), taken: 0, spare: vec![spare], finished: false, closed: false }
    }
}

/// The thread that panicked reports it; the shared state stays consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes the queue when it is dropped, also by a panic.
struct Closing<'c, N, J>(&'c Pool<N, J>);

impl<N, J> Drop for Closing<'_, N, J> {
    fn drop(&mut self) {
        lock(&self.0.queue).closed = true;
        self.0.ready.notify_all();
        self.0.room.notify_all();
    }
}

impl<N: FnMut(&mut J) -> bool, J: Default> Pool<N, J> {
    fn closing(&self) -> Closing<'_, N, J> {
        Closing(self)
    }

    /// Waits until the queue is as wanted; the thread that makes it so signals.
    fn wait(&self, signal: &Condvar, wanted: impl Fn(&Queue<J>) -> bool) -> MutexGuard<'_, Queue<J>> {
        let mut queue = lock(&self.queue);
        while !wanted(&queue) {
            queue = signal.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue
    }

    /// Works until there is nothing left; `most` jobs may be under way.
    fn help(&self, work: impl Fn(&mut J), most: usize) {
        // A thread that panics leaves a job undone, and no one must wait for it.
        let on_panic = self.closing();
        while self.step(&work, most) {}
        std::mem::forget(on_panic);
    }

    /// Does the next job; `false` if there is none.
    fn step(&self, work: impl Fn(&mut J), most: usize) -> bool {
        let Some((number, mut job)) = self.begin(most) else { return false };
        work(&mut job);
        let mut queue = lock(&self.queue);
        let place = number - queue.taken;
        if let Some(slot) = queue.started.get_mut(place) {
            *slot = Some(job);
        }
        drop(queue);
        if place == 0 {
            self.ready.notify_one();
        }
        true
    }

    /// The next job, with its number.
    fn begin(&self, most: usize) -> Option<(usize, J)> {
        let mut next = lock(&self.next);
        let mut queue =
            self.wait(&self.room, |queue| queue.closed || queue.finished || queue.started.len() < most);
        if queue.closed || queue.finished {
            return None;
        }
        let mut job = queue.spare.pop().unwrap_or_default();
        drop(queue);
        let more = next(&mut job);
        let mut queue = lock(&self.queue);
        if more {
            queue.started.push_back(None);
            return Some((queue.taken + queue.started.len() - 1, job));
        }
        queue.finished = true;
        drop(queue);
        self.ready.notify_one();
        None
    }

    /// The first job that was not yet taken, once it is done.
    fn first(&self) -> Option<J> {
        let is_done = |queue: &Queue<J>| queue.started.front().is_some_and(Option::is_some);
        let is_all = |queue: &Queue<J>| queue.closed || (queue.finished && queue.started.is_empty());
        let mut queue = self.wait(&self.ready, |queue| is_done(queue) || is_all(queue));
        let job = queue.started.pop_front().flatten();
        queue.taken += usize::from(job.is_some());
        job
    }

    fn reuse(&self, job: J) {
        lock(&self.queue).spare.push(job);
        self.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn squares(workers: usize, count: usize, enough: usize) -> Vec<usize> {
        let mut given = 0;
        let mut taken = Vec::new();
        run_with(
            workers,
            |job: &mut usize| {
                *job = given;
                given += 1;
                given <= count
            },
            |job| {
                // The later ones are done before the earlier ones.
                if job.is_multiple_of(3) {
                    std::thread::yield_now();
                }
                *job *= *job;
            },
            |job| {
                taken.push(*job);
                if taken.len() == enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        taken
    }

    #[test]
    fn jobs_are_taken_in_the_order_in_which_they_came() {
        // None is what is left where the system gives no thread.
        for workers in [0, 1, 2, MOST_WORKERS] {
            for count in [0, 1, ALONE, ALONE + 1, 7, 1000] {
                let expected: Vec<usize> = (0..count).map(|number| number * number).collect();
                assert_eq!(squares(workers, count, usize::MAX), expected, "{count} by {workers}");
            }
        }
    }

    #[test]
    fn the_taker_may_stop_early() {
        for workers in [0, 1, 2, MOST_WORKERS] {
            for enough in [1, ALONE, ALONE + 1, 100] {
                let expected: Vec<usize> = (0..enough).map(|number| number * number).collect();
                assert_eq!(squares(workers, 1000, enough), expected, "{enough} by {workers}");
            }
        }
    }

    #[test]
    fn few_jobs_are_in_flight() {
        let (begun, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut taken = 0;
        run(
            |(): &mut ()| begun.fetch_add(1, Ordering::SeqCst) < 500,
            |()| {},
            |()| {
                most.fetch_max(begun.load(Ordering::SeqCst) - taken, Ordering::SeqCst);
                taken += 1;
                ControlFlow::Continue(())
            },
        );
        assert_eq!(taken, 500);
        assert!(most.into_inner() <= MOST_WORKERS * 3 + 2);
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let outcome = std::panic::catch_unwind(|| {
            let mut given = 0;
            run(
                |job: &mut usize| {
                    *job = given;
                    given += 1;
                    given < 100
                },
                |job| assert!(*job != 50, "fifty"),
                |_| ControlFlow::Continue(()),
            );
        });
        assert!(outcome.is_err());
    }
}
