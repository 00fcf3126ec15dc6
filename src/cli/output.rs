//! Where a command writes: standard output, or a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// An output that is being written.
pub(super) enum Output {
    Standard(BufWriter<io::Stdout>),
    File { file: BufWriter<File>, unfinished: PathBuf, path: PathBuf },
}

impl Output {
    /// Opens a file, or standard output. What is not text does not go to a terminal.
    pub(super) fn open(path: Option<&Path>, is_text: bool) -> anyhow::Result<Self> {
        let Some(path) = path else {
            ensure!(is_text || !io::stdout().is_terminal(), "this is no text for a terminal: give --out FILE");
            return Ok(Self::Standard(BufWriter::new(io::stdout())));
        };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).with_context(|| format!("cannot write {}", unfinished.display()))?;
        Ok(Self::File { file: BufWriter::new(file), unfinished, path: path.to_owned() })
    }

    /// Puts the file in its place.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Standard(mut out) => out.flush().context("cannot write"),
            Self::File { file, unfinished, path } => {
                let written =
                    file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
                written
                    .and_then(|()| fs::rename(&unfinished, &path))
                    .with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}
