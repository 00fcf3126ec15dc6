//! The files of one task data folder, by name in any case: `TLG00001.BIN` and `tlg00001.bin` are the same log to
//! every task controller, and to none of the file systems the files travel over.

use std::collections::BTreeMap;

/// Files in one folder. A season of logs has some thousands.
pub const MAX_FILES: usize = 20_000;

/// Named files, held in memory.
#[derive(Debug, Clone, Default)]
pub struct FileSet {
    /// By upper-case name; the value keeps the name as written.
    files: BTreeMap<String, (String, Vec<u8>)>,
}

impl FileSet {
    /// Adds a file by its name without folders. A second file whose name differs in case alone, or one beyond
    /// [`MAX_FILES`], is handed back.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Vec<u8>> {
        let key = name.to_uppercase();
        if self.files.contains_key(&key) || self.files.len() >= MAX_FILES {
            return Err(bytes);
        }
        self.files.insert(key, (name.to_owned(), bytes));
        Ok(())
    }

    /// The file of this name in any case: its name as written, and its bytes.
    pub fn get(&self, name: &str) -> Option<(&str, &[u8])> {
        let (name, bytes) = self.files.get(&name.to_uppercase())?;
        Some((name, bytes))
    }

    /// All files, ordered by upper-case name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.values().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }
}

impl<'a> FromIterator<(&'a str, Vec<u8>)> for FileSet {
    /// Collects files; of names that differ in case alone the first stays.
    fn from_iter<I: IntoIterator<Item = (&'a str, Vec<u8>)>>(files: I) -> Self {
        let mut set = Self::default();
        for (name, bytes) in files {
            let _second = set.insert(name, bytes);
        }
        set
    }
}
