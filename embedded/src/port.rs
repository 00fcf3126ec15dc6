//! Loopback ports that stay ours while a server is down.

use std::{
    fs::File,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    error::{Doing, EmbeddedError},
    files::make_private_dir,
};

/// Below Linux's ephemeral range (32768 and up): otherwise, while a killed server is down, any outgoing connection of
/// the host could be given its port, and the restart would fail.
const FIRST: u16 = 18_000;
const LAST: u16 = 31_999;

/// A port reserved among all private stacks of this user for as long as the value lives.
#[derive(Debug)]
pub(crate) struct PortLease {
    pub(crate) port: u16,
    _lock: File,
}

impl PortLease {
    /// Reserves a port nobody listens on.
    pub(crate) fn take(base: &Path) -> Result<Self, EmbeddedError> {
        let folder = base.join("ports");
        make_private_dir(&folder)?;
        let count = u32::from(LAST - FIRST) + 1;
        let offset = somewhere(count);
        for step in 0..count {
            let port = FIRST + u16::try_from((offset + step) % count).expect("count fits in u16");
            let path = folder.join(port.to_string());
            let lock = File::create(&path).doing(|| format!("make {}", path.display()))?;
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(Self { port, _lock: lock });
            }
        }
        Err(EmbeddedError::NoFreePort { first: FIRST, last: LAST })
    }
}

/// A starting point that differs between processes and moments, so parallel starts seldom try the same port.
fn somewhere(count: u32) -> u32 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.subsec_nanos());
    (nanos / 1_000).wrapping_add(process::id().wrapping_mul(7_919)) % count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_held_together_differ_and_lie_below_the_ephemeral_range() {
        let base = tempfile::tempdir().unwrap();
        let leases: Vec<_> = (0..50).map(|_| PortLease::take(base.path()).unwrap()).collect();
        let mut ports: Vec<u16> = leases.iter().map(|lease| lease.port).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| (FIRST..=LAST).contains(port)));
    }
}
