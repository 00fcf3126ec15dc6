//! Where a command writes: standard output, or a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// An output that is being written.
pub(super) struct Output {
    out: BufWriter<Target>,
    /// Where a file is written, and where it belongs.
    unfinished: Option<(PathBuf, PathBuf)>,
}

enum Target {
    Standard(io::Stdout),
    File(File),
}

impl Output {
    /// Opens a file, or standard output. What is not text does not go to a terminal.
    pub(super) fn open(path: Option<&Path>, is_text: bool) -> anyhow::Result<Self> {
        let Some(path) = path else {
            ensure!(is_text || !io::stdout().is_terminal(), "this is no text for a terminal: give --out FILE");
            return Ok(Self { out: BufWriter::new(Target::Standard(io::stdout())), unfinished: None });
        };
        let mut beside = path.as_os_str().to_owned();
        beside.push(".unfinished");
        let beside = PathBuf::from(beside);
        let file = File::create(&beside).with_context(|| format!("cannot write {}", beside.display()))?;
        Ok(Self { out: BufWriter::new(Target::File(file)), unfinished: Some((beside, path.to_owned())) })
    }

    /// Puts the file in its place.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.out.flush().context("cannot write")?;
        if let Some((beside, path)) = self.unfinished.take() {
            fs::rename(&beside, &path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.unfinished {
            // Half a file helps nobody; that it cannot be removed hurts nobody.
            let _ = fs::remove_file(beside);
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

/// `1 session`, `2 sessions`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_whole_and_half_a_file_does_not_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.csv");
        let files = || fs::read_dir(folder.path()).expect("the folder").count();
        let mut out = Output::open(Some(&path), true).expect("it opens");
        out.write_all(b"half").expect("it is written");
        drop(out);
        assert_eq!(files(), 0);
        let mut out = Output::open(Some(&path), false).expect("it opens");
        out.write_all(b"whole").expect("it is written");
        out.finish().expect("it ends");
        assert_eq!((fs::read(&path).expect("the file"), files()), (b"whole".to_vec(), 1));
    }
}
