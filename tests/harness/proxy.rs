//! A way between a client and a server that a test can watch, stall and break, packet by packet.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the bytes of a protocol part into packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Mqtt,
    Postgres,
}

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// A packet on its way.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// Connections count from 0 in the order in which they came.
    pub(crate) connection: usize,
    pub(crate) direction: Direction,
    pub(crate) packet: &'a [u8],
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Pass,
    /// It is lost; the connection lives.
    Swallow,
    /// It is lost, and so is the connection, on both sides.
    Cut,
    /// It arrives, and then the connection is lost.
    PassAndCut,
    /// It is lost and so is all that follows, but neither side is told.
    FallSilent,
}

type Rule = dyn Fn(&Seen<'_>) -> Act + Send + Sync;

/// The proxy. Dropping it closes every connection.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    stalled: watch::Sender<bool>,
    epoch: watch::Sender<u64>,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Way {
    framing: Framing,
    rule: Arc<Rule>,
    stalled: watch::Receiver<bool>,
    epoch: watch::Receiver<u64>,
}

impl Proxy {
    /// Listens, and passes every connection on to `target` by `rule`.
    pub(crate) async fn start(
        target: u16,
        framing: Framing,
        rule: impl Fn(&Seen<'_>) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stalled, is_stalled) = watch::channel(false);
        let (epoch, epochs) = watch::channel(0);
        let connections = Arc::new(AtomicUsize::new(0));
        let way = Way { framing, rule: Arc::new(rule), stalled: is_stalled, epoch: epochs };
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let connections = connections.clone();
            async move {
                let mut pairs = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let number = connections.fetch_add(1, Relaxed);
                    pairs.spawn(connect(client, target, number, way.clone()));
                }
            }
        });
        Self { port, stalled, epoch, connections, _tasks: tasks }
    }

    /// One that passes everything.
    pub(crate) async fn plain(target: u16, framing: Framing) -> Self {
        Self::start(target, framing, |_| Act::Pass).await
    }

    /// Holds back every byte, or lets them go again. Connections stay, new ones are accepted.
    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }

    /// Breaks every connection there is, without a goodbye.
    pub(crate) fn cut(&self) {
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// How many connections there were so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }
}

async fn connect(client: TcpStream, target: u16, number: usize, mut way: Way) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    // The client's packets are small and wait for answers; so do its own sockets.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    way.epoch.mark_unchanged();
    let mut epoch = way.epoch.clone();
    let up = pump(from_client, to_server, (number, Direction::Up), way.clone());
    let down = pump(from_server, to_client, (number, Direction::Down), way);
    // The first end of either side ends both: dropping the halves closes the sockets.
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = epoch.changed() => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (connection, direction): (usize, Direction),
    mut way: Way,
) {
    let mut splitter = Splitter::new(way.framing, direction);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if read == 0 || way.stalled.wait_for(|stalled| !stalled).await.is_err() {
            return;
        }
        splitter.bytes.extend_from_slice(&buffer[..read]);
        let mut out = Vec::new();
        while let Some(packet) = splitter.next() {
            match (way.rule)(&Seen { connection, direction, packet: &packet }) {
                Act::Pass => out.extend_from_slice(&packet),
                Act::Swallow => {}
                act @ (Act::Cut | Act::PassAndCut) => {
                    if act == Act::PassAndCut {
                        out.extend_from_slice(&packet);
                    }
                    let _ = to.write_all(&out).await;
                    return;
                }
                Act::FallSilent => {
                    let _ = to.write_all(&out).await;
                    return std::future::pending().await;
                }
            }
        }
        if to.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// Parts a stream into packets.
struct Splitter {
    framing: Framing,
    /// A session of PostgreSQL begins with a message that has no type.
    at_start: bool,
    bytes: Vec<u8>,
}

impl Splitter {
    fn new(framing: Framing, direction: Direction) -> Self {
        Self { framing, at_start: direction == Direction::Up, bytes: Vec::new() }
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let length = match self.framing {
            Framing::Mqtt => mqtt::length(&self.bytes)?,
            Framing::Postgres => {
                let head = usize::from(!self.at_start);
                head + u32::from_be_bytes(*self.bytes.get(head..)?.first_chunk()?) as usize
            }
        };
        if self.bytes.len() < length {
            return None;
        }
        self.at_start = false;
        let rest = self.bytes.split_off(length);
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

/// What the tests know of MQTT 5.
pub(crate) mod mqtt {
    use super::{Arc, Direction, HashMap, Mutex, Seen};

    const PUBLISH: u8 = 3;
    const PUBACK: u8 = 4;

    /// Length of the packet at the start, once its head is there.
    pub(super) fn length(bytes: &[u8]) -> Option<usize> {
        let (value, size) = variable(bytes.get(1..)?)?;
        Some(1 + size + value)
    }

    /// A number of one to four bytes, and how many it took.
    fn variable(bytes: &[u8]) -> Option<(usize, usize)> {
        let mut value = 0;
        for (index, byte) in bytes.iter().take(4).enumerate() {
            value |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Some((value, index + 1));
            }
        }
        None
    }

    /// The packet number of a PUBLISH of QoS 1.
    pub(crate) fn published(packet: &[u8]) -> Option<u16> {
        let qos = packet[0] >> 1 & 3;
        if packet[0] >> 4 != PUBLISH || qos != 1 {
            return None;
        }
        let (_, size) = variable(&packet[1..])?;
        let topic = &packet[1 + size..];
        let length = usize::from(u16::from_be_bytes(*topic.first_chunk()?));
        Some(u16::from_be_bytes(*topic.get(2 + length..)?.first_chunk()?))
    }

    /// The packet number of a PUBACK.
    pub(crate) fn acknowledged(packet: &[u8]) -> Option<u16> {
        if packet[0] >> 4 != PUBACK {
            return None;
        }
        let (_, size) = variable(&packet[1..])?;
        Some(u16::from_be_bytes(*packet.get(1 + size..)?.first_chunk()?))
    }

    /// What went over each connection between a broker and a subscriber: deliveries and acknowledgements.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Journal(Arc<Mutex<HashMap<usize, Session>>>);

    /// What went over one connection, as packet numbers.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Session {
        pub(crate) delivered: Vec<u16>,
        pub(crate) acknowledged: Vec<u16>,
    }

    impl Journal {
        pub(crate) fn note(&self, seen: &Seen<'_>) {
            let mut sessions = self.0.lock().unwrap();
            let session = sessions.entry(seen.connection).or_default();
            match seen.direction {
                Direction::Down => session.delivered.extend(published(seen.packet)),
                Direction::Up => session.acknowledged.extend(acknowledged(seen.packet)),
            }
        }

        pub(crate) fn session(&self, connection: usize) -> Session {
            self.0.lock().unwrap().get(&connection).cloned().unwrap_or_default()
        }

        pub(crate) fn sessions(&self) -> Vec<Session> {
            let sessions = self.0.lock().unwrap();
            (0..=sessions.keys().copied().max().unwrap_or(0))
                .map(|connection| sessions.get(&connection).cloned().unwrap_or_default())
                .collect()
        }
    }
}

/// What the tests know of PostgreSQL's protocol.
pub(crate) mod postgres {
    use super::{Direction, Seen};

    /// Whether the client asks to commit.
    pub(crate) fn is_commit(seen: &Seen<'_>) -> bool {
        seen.direction == Direction::Up && seen.packet == b"Q\0\0\0\x0bCOMMIT\0"
    }

    /// Whether the server says that it has committed.
    pub(crate) fn is_committed(seen: &Seen<'_>) -> bool {
        seen.direction == Direction::Down && seen.packet == b"C\0\0\0\x0bCOMMIT\0"
    }

    /// Whether rows are being sent.
    pub(crate) fn is_copy_data(seen: &Seen<'_>) -> bool {
        seen.direction == Direction::Up && seen.packet.first() == Some(&b'd')
    }
}
