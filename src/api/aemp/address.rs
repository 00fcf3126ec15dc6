//! Addresses of ISO 15143-3 below `/iso15143-3`: `Fleet/{page}`, `Fleet/Equipment/MakeModelSerial/{make}/{model}/{serial}`
//! and its time series. Words are taken in any case, as clients write them.

use std::ops::Range;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::exchange::aemp::Resource;

/// Entries a page, machines or values.
pub(super) const PAGE_ENTRIES: i64 = 100;
/// Longest period of one time series.
const PERIOD_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Highest page: its offset still fits.
const PAGE_MAX: i64 = i64::MAX / PAGE_ENTRIES - 1;
/// What stays as it is in a part of an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an address asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Address {
    /// A page of the fleet, from 1.
    Fleet { page: i64 },
    /// One machine.
    Machine(Named),
    /// A page of a time series.
    Series { machine: Named, resource: Resource, period: Range<Timestamp>, page: i64 },
}

/// A machine by what its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) make: String,
    pub(super) model: String,
    pub(super) serial: String,
}

impl Address {
    /// Reads the path behind `/iso15143-3/`, still encoded.
    ///
    /// # Errors
    /// Says which part is wrong; none for an address that the standard does not have.
    pub(super) fn parse(path: &str) -> Result<Self, Option<String>> {
        let parts: Vec<String> = path
            .trim_end_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8().map(|part| part.into_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| Some("the address is not UTF-8".to_owned()))?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
        match parts[..] {
            [fleet] if is(fleet, "Fleet") => Ok(Self::Fleet { page: 1 }),
            [fleet, page] if is(fleet, "Fleet") => Ok(Self::Fleet { page: page_of(page)? }),
            [fleet, equipment, by, make, model, serial, ref series @ ..]
                if is(fleet, "Fleet") && is(equipment, "Equipment") && is(by, "MakeModelSerial") =>
            {
                let machine = Named { make: make.into(), model: model.into(), serial: serial.into() };
                match *series {
                    [] => Ok(Self::Machine(machine)),
                    [resource, start, end] => series_of(machine, resource, start, end, "1"),
                    [resource, start, end, page] => series_of(machine, resource, start, end, page),
                    _ => Err(None),
                }
            }
            _ => Err(None),
        }
    }

    /// The path behind `/iso15143-3` of another page.
    pub(super) fn path(&self, page: i64) -> String {
        let encode = |part: &str| utf8_percent_encode(part, PLAIN).to_string();
        let machine = |named: &Named| {
            let parts = [&named.make, &named.model, &named.serial].map(|part| encode(part));
            format!("/Fleet/Equipment/MakeModelSerial/{}", parts.join("/"))
        };
        match self {
            Self::Fleet { .. } => format!("/Fleet/{page}"),
            Self::Machine(named) => machine(named),
            Self::Series { machine: named, resource, period, .. } => {
                format!("{}/{}/{}/{}/{page}", machine(named), resource.word(), period.start, period.end)
            }
        }
    }
}

fn series_of(machine: Named, resource: &str, start: &str, end: &str, page: &str) -> Result<Address, Option<String>> {
    let resource = Resource::parse(resource)
        .ok_or_else(|| Some(format!("there is no time series {resource:?}; there are {}", Resource::known())))?;
    let instant =
        |text: &str| time(text).ok_or_else(|| Some(format!("{text:?} is no time; write 2026-08-20T00:00:00Z")));
    let period = instant(start)?..instant(end)?;
    let length = period.end.duration_since(period.start);
    if length <= SignedDuration::ZERO || length > PERIOD_MAX {
        return Err(Some(format!("{start} to {end} is no period of up to {} days", PERIOD_MAX.as_hours() / 24)));
    }
    Ok(Address::Series { machine, resource, period, page: page_of(page)? })
}

fn page_of(text: &str) -> Result<i64, Option<String>> {
    let page = text.parse().ok().filter(|page| (1..=PAGE_MAX).contains(page));
    page.ok_or_else(|| Some(format!("{text:?} is no page; the first is 1")))
}

/// A time of ISO 8601; without an offset it is UTC, a date alone is its beginning.
fn time(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.at(0, 0, 0, 0)));
    text.parse().ok().or_else(|| TimeZone::UTC.to_timestamp(civil()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        let found = match Address::parse(path) {
            Ok(address) => address.path(7),
            Err(None) => "no such address".into(),
            Err(Some(reason)) => reason,
        };
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn addresses_are_read_in_any_case_and_written_by_the_standard() {
        check("Fleet/1", "/Fleet/7");
        check("fleet", "/Fleet/7");
        check(
            "fleet/equipment/makeModelSerial/MTZ/mtz%2F3522/BY%201",
            "/Fleet/Equipment/MakeModelSerial/MTZ/mtz%2F3522/BY%201",
        );
        check(
            "Fleet/Equipment/MakeModelSerial/a/b/c/cumulativeFuelUsed/2026-08-20T00:00:00/2026-08-21/3",
            "/Fleet/Equipment/MakeModelSerial/a/b/c/FuelUsed/2026-08-20T00:00:00Z/2026-08-21T00:00:00Z/7",
        );
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        check("Fleet/0", "\"0\" is no page; the first is 1");
        check("Fleet/99999999999999999999", "\"99999999999999999999\" is no page; the first is 1");
        check("Fleet/1/2/3", "no such address");
        check("Fleet/Equipment/MakeModelSerial/a/b", "no such address");
        let series = |rest: &str| format!("Fleet/Equipment/MakeModelSerial/a/b/c/{rest}");
        check(&series("Locations/2026-08-20/2026-08-20"), "2026-08-20 to 2026-08-20 is no period of up to 31 days");
        check(&series("Locations/2026-01-20/2026-08-20"), "2026-01-20 to 2026-08-20 is no period of up to 31 days");
        check(&series("Locations/today/2026-08-20"), "\"today\" is no time; write 2026-08-20T00:00:00Z");
        assert!(Address::parse(&series("Mood/2026-08-20/2026-08-21")).is_err());
    }
}
