//! A way between a client and a server that a test can watch, stall and break, packet by packet.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::mqtt;

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
