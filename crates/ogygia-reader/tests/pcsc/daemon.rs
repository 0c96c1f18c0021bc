//! The PC/SC service, for one test at a time.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ogygia_reader::pcsc::{Service, Slot};

use crate::vpcd::{READERS, SlotNumber};

/// There is one service on a machine.
static TURN: Mutex<()> = Mutex::new(());

/// Longer than anything takes: who waits so long waits for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running service, stopped when dropped.
pub(crate) struct Daemon {
    child: Arc<Mutex<Child>>,
    _turn: MutexGuard<'static, ()>,
}

impl Daemon {
    /// Starts the service, and waits until it is ready.
    pub(crate) fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Self { child: Arc::new(Mutex::new(started())), _turn: turn }
    }

    /// Starts it again after a [`Killer`] has done its work.
    pub(crate) fn restart(&self) {
        *self.child.lock().unwrap() = started();
    }

    /// Who stops it at once, with whatever is under way.
    pub(crate) fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.child))
    }
}

/// The service, or what it said instead of starting.
fn started() -> Child {
    let spawned = Command::new("pcscd").args(["--foreground", "--info"]).stdout(Stdio::piped()).spawn();
    let mut child = spawned.expect("pcscd cannot be started; see PC/SC in README.md for what is needed");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    loop {
        let Some(line) = lines.next() else {
            panic!("pcscd does not start: it needs the rights of root, and no other running.\n{}", said.join("\n"));
        };
        said.push(line.unwrap());
        if said.last().is_some_and(|line| line.contains("daemon ready")) {
            // It must be able to go on talking.
            thread::spawn(move || lines.for_each(drop));
            break;
        }
    }
    // It says so before it listens, and nothing tells when it does.
    let begun = Instant::now();
    while Service::connect().is_err() {
        assert!(begun.elapsed() < PATIENCE, "pcscd does not listen");
        thread::yield_now();
    }
    child
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked to stop, it takes away its socket.
        let asked = Command::new("sh").args(["-c", &format!("kill {}", child.id())]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }
}

pub(crate) struct Killer(Arc<Mutex<Child>>);

impl Killer {
    pub(crate) fn kill(self) {
        let mut child = self.0.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Waits until the service has seen what happened to a slot.
#[track_caller]
pub(crate) fn wait_for(slot: SlotNumber, wanted: impl Fn(&Slot) -> bool) -> Slot {
    let service = Service::connect().unwrap();
    service.wait(READERS[slot], PATIENCE, wanted).unwrap().expect("nothing happened")
}
