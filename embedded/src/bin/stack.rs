//! `stack`: the private stack by hand, for developers.

use std::{collections::HashMap, io, sync::Mutex, time::Instant};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use embedded::{Packages, Progress, Stack, StackOptions, Step};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};

/// A private PostgreSQL with TimescaleDB and a private Mosquitto, without Docker and without touching the host.
#[derive(Parser)]
#[command(name = "stack")]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Download and unpack the servers into the cache folder, so that later starts need no network
    Prepare,
    /// Start both servers, print their addresses, and run until Ctrl-C
    ///
    /// Use them from another terminal: `export POLEVOD_DATABASE_URL=… POLEVOD_MQTT_URL=…`, as printed.
    Up {
        /// Skip fsync: quicker, and safe against everything but a power cut
        #[arg(long)]
        cheap: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let bars = Mutex::new(HashMap::new());
    let progress = |progress| draw(&bars, progress);
    match arguments.command {
        Action::Prepare => {
            let packages = Packages::ensure(&progress)?;
            println!("ready: {}", packages.tree().display());
            Ok(())
        }
        Action::Up { cheap } => {
            let began = Instant::now();
            let options = if cheap { StackOptions::cheap() } else { StackOptions::default() };
            let stack = Stack::start(&options, &progress)?;
            // Listening before the addresses are printed: whoever reads them may stop us at once.
            let mut stop = StopSignal::listen().context("cannot listen for Ctrl-C")?;
            println!("POLEVOD_DATABASE_URL={}", stack.postgres.url());
            println!("POLEVOD_MQTT_URL={}", stack.mosquitto.url());
            eprintln!("up after {:.1} s; logs:", began.elapsed().as_secs_f64());
            eprintln!("  {}\n  {}", stack.postgres.log_path().display(), stack.mosquitto.log_path().display());
            eprintln!("Ctrl-C stops both and removes their data");
            stop.wait();
            Ok(())
        }
    }
}

fn draw(bars: &Mutex<HashMap<&'static str, ProgressBar>>, progress: Progress) {
    let mut bars = bars.lock().expect("no holder of this lock panics");
    let bar = bars.entry(progress.step.title()).or_insert_with(|| new_bar(progress.step, progress.total));
    bar.set_position(progress.done);
    if progress.done == progress.total {
        bar.finish();
    }
}

fn new_bar(step: Step, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:44} {bar:30} {percent:>3} % {elapsed:>4}");
    let bar = ProgressBar::new(total).with_style(style.expect("the template is a constant that parses"));
    bar.with_message(step.title())
}

/// Ctrl-C or SIGTERM. Before it listens, both end the process at once, and the guardians clean up.
struct StopSignal {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    fn listen() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        drop(entered);
        Ok(Self { runtime, interrupt, terminate })
    }

    fn wait(&mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        });
    }
}
