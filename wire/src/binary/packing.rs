//! zstd, with one context a thread: making one takes longer than a whole frame does.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use crate::limits::MAX_BODY_BYTES;

const ZSTD_LEVEL: i32 = 3;

struct Unpacker {
    context: Option<Decompressor<'static>>,
    /// Bodies are read out of it before the next one comes.
    unpacked: Vec<u8>,
}

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Unpacker> = const { RefCell::new(Unpacker { context: None, unpacked: Vec::new() }) };
}

/// Compresses `plain`; none where that saves nothing.
pub(super) fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        if packer.is_none() {
            *packer = Compressor::new(ZSTD_LEVEL).ok();
        }
        packer.as_mut()?.compress(plain).ok().filter(|packed| packed.len() < plain.len())
    })
}

/// Decompresses `packed` and hands the bytes to `read`; none when they are no zstd frame or unpack to more than
/// [`MAX_BODY_BYTES`].
pub(super) fn unpack<T>(packed: &[u8], read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    UNPACKER.with_borrow_mut(|Unpacker { context, unpacked }| {
        if context.is_none() {
            *context = Decompressor::new().ok();
        }
        unpacked.clear();
        // One byte more than allowed, so that a body of exactly the limit differs from one that is cut at it.
        unpacked.reserve_exact(MAX_BODY_BYTES + 1);
        let length = context.as_mut()?.decompress_to_buffer(packed, unpacked).ok()?;
        (length <= MAX_BODY_BYTES).then(|| read(unpacked))
    })
}
