//! A thread that serves one reader.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use ogygia::apdu::Batch;
use ogygia::drive::Channel;
use ogygia::{Loss, OwnedRequest, Peer, Request};

/// A request on its way there, and its answers on their way back, in memory that is used again and again.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) request: OwnedRequest,
    pub(crate) responses: Batch,
}

/// A request that was carried, or lost.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) peer: Peer,
    pub(crate) parcel: Parcel,
    pub(crate) sent: Result<(), Loss>,
}

/// The way to the thread of one reader.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Nothing once the thread must end.
    jobs: Option<SyncSender<Parcel>>,
    thread: Option<JoinHandle<()>>,
    /// Here while the reader has nothing to do.
    parcel: Option<Parcel>,
}

impl Lane {
    /// Starts a thread for the reader `channel` of `peer`, which puts its answers into `done`.
    pub(crate) fn start(
        peer: Peer,
        channel: impl Channel + Send + 'static,
        done: SyncSender<Delivery>,
    ) -> io::Result<Self> {
        let (jobs, received) = sync_channel(1);
        let name = if peer == Peer::Card { "ogygia card reader" } else { "ogygia SAM reader" };
        let thread = thread::Builder::new().name(name.into()).spawn(move || serve(peer, channel, &received, &done))?;
        let parcel = Parcel { request: OwnedRequest::new(peer), responses: Batch::new() };
        Ok(Self { jobs: Some(jobs), thread: Some(thread), parcel: Some(parcel) })
    }

    /// Whether the reader has nothing to do.
    pub(crate) const fn is_free(&self) -> bool {
        self.parcel.is_some()
    }

    /// Hands `request` to the reader, which must be free. False when its thread is gone.
    pub(crate) fn begin(&mut self, request: &Request<'_>) -> bool {
        let (Some(jobs), Some(mut parcel)) = (&self.jobs, self.parcel.take()) else { return false };
        parcel.request.copy_from(request);
        match jobs.send(parcel) {
            Ok(()) => true,
            Err(returned) => {
                self.parcel = Some(returned.0);
                false
            }
        }
    }

    /// The reader has done what it had to do.
    pub(crate) fn take_back(&mut self, parcel: Parcel) {
        self.parcel = Some(parcel);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It catches what a channel panics with.
            let _ended = thread.join();
        }
    }
}

fn serve(peer: Peer, mut channel: impl Channel, jobs: &Receiver<Parcel>, done: &SyncSender<Delivery>) {
    let mut broken = false;
    for mut parcel in jobs {
        let Parcel { request, responses } = &mut parcel;
        responses.clear();
        let mut sent = Err(Loss::Reader);
        if !broken {
            match catch_unwind(AssertUnwindSafe(|| channel.transmit(&request.as_request(), responses))) {
                Ok(carried) => sent = carried,
                // A channel that panicked is in no state to be used, and nobody can tell what it has sent. The thread stays
                // to say so: a request that nobody answers would be waited for.
                Err(_) => broken = true,
            }
        }
        request.wipe();
        if done.send(Delivery { peer, parcel, sent }).is_err() {
            return;
        }
    }
}
