//! `int8multirange` in the database's binary form.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use wire::SequenceSet;

/// A [`SequenceSet`] on its way to or from the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Multirange(pub SequenceSet);

// Flags of a range, from PostgreSQL's rangetypes.h.
const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;
/// One range with two bounds: flags, and twice length and value.
const RANGE_BYTES: i32 = 1 + 2 * (4 + 8);

impl ToSql for Multirange {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let ranges = self.0.ranges();
        out.put_i32(i32::try_from(ranges.len())?);
        for range in ranges {
            out.put_i32(RANGE_BYTES);
            out.put_u8(LOWER_INCLUSIVE);
            for bound in [range.start, range.end] {
                out.put_i32(8);
                out.put_i64(i64::try_from(bound)?);
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "int8multirange"
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Multirange {
    fn from_sql(_: &Type, mut raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let mut set = SequenceSet::new();
        let count = take_i32(&mut raw)?;
        for _ in 0..count {
            let _length = take_i32(&mut raw)?;
            let flags = *raw.first().ok_or("a range ends early")?;
            raw = &raw[1..];
            if flags & EMPTY != 0 {
                continue;
            }
            if flags & (LOWER_INFINITE | UPPER_INFINITE) != 0 {
                return Err("an infinite range is no set of sequence numbers".into());
            }
            let start = take_bound(&mut raw)? + u64::from(flags & LOWER_INCLUSIVE == 0);
            let end = take_bound(&mut raw)? + u64::from(flags & UPPER_INCLUSIVE != 0);
            set.insert(start..end);
        }
        Ok(Self(set))
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "int8multirange"
    }
}

fn take_i32(raw: &mut &[u8]) -> Result<i32, Box<dyn Error + Sync + Send>> {
    let (bytes, rest) = raw.split_first_chunk::<4>().ok_or("a multirange ends early")?;
    *raw = rest;
    Ok(i32::from_be_bytes(*bytes))
}

fn take_bound(raw: &mut &[u8]) -> Result<u64, Box<dyn Error + Sync + Send>> {
    if take_i32(raw)? != 8 {
        return Err("a bound is no bigint".into());
    }
    let (bytes, rest) = raw.split_first_chunk::<8>().ok_or("a bound ends early")?;
    *raw = rest;
    Ok(u64::try_from(i64::from_be_bytes(*bytes))?)
}
