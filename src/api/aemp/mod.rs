//! ISO 15143-3 (AEMP 2.0) server: the fleet a hundred machines a page, one machine, time series; XML, or JSON where the
//! client accepts it.
//!
//! A token with the scope `aemp` is needed, as bearer token or through `/iso15143-3/token` (OAuth 2 client credentials).
//! One that is limited to an organisation sees a fleet of that organisation's machines, and no others.

mod address;

use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST, VARY};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;

use super::answer::{ApiError, too_many};
use super::{Shared, sign_in};
use crate::exchange::aemp::{Document, Equipment, Fleet, Form, Link, Metric, Rel, Resource, Series, Timed, own};
use crate::exchange::aemp::{EngineStatus, Location, Remaining, Values};
use crate::store::{self, Entries, Pooled, Reach, Recorded, RegisteredMachine, Scope, Slice, UseOfDay};
use address::{Address, Named, PAGE_ENTRIES};
use own::OfDay;
use wire::catalogue;

/// Where the server is mounted.
const PREFIX: &str = "/iso15143-3";
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Reports before a period that tell which codes were active already.
const FAULTS_LOOK_BACK_MS: i64 = 60_000;

/// The routes of the server.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/iso15143-3/token", post(sign_in::token)).route("/iso15143-3/{*address}", get(page))
}

async fn page(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let caller = sign_in::caller(&shared, &headers, Scope::Aemp).await?;
    shared.aemp_limit.take(caller.api_token_id, Instant::now()).map_err(too_many)?;
    // The path as it was sent: a slash within a serial is encoded, and must not become one between parts.
    let path = uri.path().strip_prefix(PREFIX).unwrap_or_default().trim_start_matches('/');
    let address = Address::parse(path).map_err(|reason| match reason {
        Some(reason) => ApiError::BadRequest(reason),
        None => ApiError::NotFound("ISO 15143-3 has no such address".into()),
    })?;
    let base = format!("{}{PREFIX}", origin(&shared, &headers));
    let client = shared.pool.get().await?;
    let reach = caller.reach();
    let document = match &address {
        Address::Fleet { page } => fleet(&shared, &client, reach, &base, &address, *page).await?,
        Address::Machine(named) => {
            let machine = find(&client, reach, named).await?;
            let at = now();
            snapshot(&shared, &client, &[machine], at).await?.remove(0).document(at)
        }
        Address::Series { machine, resource, period, page } => {
            let machine = find(&client, reach, machine).await?;
            let period = period.start.as_millisecond()..period.end.as_millisecond();
            let (series, total) = series(&shared, &client, &machine, *resource, &period, slice_of(*page)).await?;
            let links = links(&base, &address, *page, total);
            Series { links, ..series }.document(*resource)
        }
    };
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = Form::of_accept(accept);
    Ok(([(CONTENT_TYPE, form.media_type()), (VARY, "Accept")], document.render(form)).into_response())
}

/// Where links point: the configured address, or the one that the client asked.
fn origin(shared: &Shared, headers: &HeaderMap) -> String {
    let configured = &shared.config.aemp.public_url;
    if !configured.is_empty() {
        return configured.trim_end_matches('/').to_owned();
    }
    let is_host = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b));
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).filter(is_host);
    // Without a host links are paths, which clients resolve by themselves.
    host.map_or_else(String::new, |host| format!("http://{host}"))
}

fn slice_of(page: i64) -> Slice {
    Slice { offset: (page - 1) * PAGE_ENTRIES, limit: PAGE_ENTRIES }
}

fn now() -> Timestamp {
    // To the second: nobody sorts snapshots finer.
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn links(base: &str, address: &Address, page: i64, total: i64) -> Vec<Link> {
    let last = ((total + PAGE_ENTRIES - 1) / PAGE_ENTRIES).max(1);
    let link = |rel, page| Link { rel, href: format!("{base}{}", address.path(page)) };
    let prev = (page > 1).then(|| link(Rel::Prev, (page - 1).min(last)));
    let next = (page < last).then(|| link(Rel::Next, page + 1));
    [Some(link(Rel::Own, page)), prev, next, Some(link(Rel::Last, last))].into_iter().flatten().collect()
}

async fn fleet(
    shared: &Shared,
    client: &Pooled,
    reach: Reach,
    base: &str,
    address: &Address,
    page: i64,
) -> Result<Document, ApiError> {
    let (machines, total) = store::machines(&**client, reach, slice_of(page)).await?;
    if machines.is_empty() && page > 1 {
        return Err(ApiError::NotFound(format!("there is no page {page}")));
    }
    let at = now();
    let equipment = snapshot(shared, client, &machines, at).await?;
    let fleet = Fleet { snapshot_at: Some(at), links: links(base, address, page, total), equipment };
    Ok(fleet.document())
}

/// What is known of each machine at an instant.
async fn snapshot(
    shared: &Shared,
    client: &Pooled,
    machines: &[RegisteredMachine],
    at: Timestamp,
) -> Result<Vec<Equipment>, ApiError> {
    let ids: Vec<i64> = machines.iter().map(|machine| machine.machine_id).collect();
    let newest = store::newest_values(&**client, &ids, &own::signals()).await?;
    let fuel: Vec<_> = newest.iter().filter(|value| value.signal == catalogue::FUEL_TOTAL_L).copied().collect();
    let grown = store::grown_in_a_day(&**client, &fuel).await?;
    let days: Vec<(i64, i64)> = ids.iter().map(|id| (*id, at.as_millisecond())).collect();
    let used = store::use_of_days(&**client, &days).await?;
    let one = |machine: &RegisteredMachine| {
        let of_day = OfDay {
            fuel: grown.iter().find(|value| value.machine_id == machine.machine_id),
            used: used.iter().find(|used| used.machine_id == machine.machine_id),
        };
        let model = machine.model.as_deref().and_then(|model| shared.catalogues.models.find(model));
        own::equipment(machine, &newest, of_day, model.and_then(|model| model.tank_l))
    };
    Ok(machines.iter().map(one).collect())
}

/// The machine that an address names: by its serial; make and model must be those of its header.
async fn find(client: &Pooled, reach: Reach, named: &Named) -> Result<RegisteredMachine, ApiError> {
    let machine = store::machine_by_serial(&**client, reach, &named.serial).await?;
    let fits = |machine: &RegisteredMachine| {
        let header = own::header(machine);
        let same = |known: Option<&str>, asked: &str| match known {
            Some(known) => known.eq_ignore_ascii_case(asked),
            None => ["unknown", "missing", "null", "-"].iter().any(|word| word.eq_ignore_ascii_case(asked)),
        };
        same(header.oem_name.as_deref(), &named.make) && same(header.model.as_deref(), &named.model)
    };
    machine
        .filter(fits)
        .ok_or_else(|| ApiError::NotFound(format!("no machine {} {} {}", named.make, named.model, named.serial)))
}

async fn series(
    shared: &Shared,
    client: &Pooled,
    machine: &RegisteredMachine,
    resource: Resource,
    period: &std::ops::Range<i64>,
    slice: Slice,
) -> Result<(Series, i64), ApiError> {
    let machine_id = machine.machine_id;
    let signal = match resource {
        Resource::Locations => {
            let found = store::places(&**client, machine_id, period, slice).await?;
            return Ok(of(found, |equipment, at, (latitude_deg, longitude_deg, altitude_m)| {
                let value = Location { latitude_deg, longitude_deg, altitude_m };
                equipment.location = Some(Timed { at, value });
            }));
        }
        Resource::EngineCondition => {
            let found = store::engine_changes(&**client, machine_id, period, slice).await?;
            return Ok(of(found, |equipment, at, is_running| {
                let value = EngineStatus { number: Some("1".into()), is_running };
                equipment.engine = Some(Timed { at, value });
            }));
        }
        Resource::Faults => {
            let from = period.start - FAULTS_LOOK_BACK_MS;
            let reports = store::fault_reports(&**client, machine_id, from..period.end).await?;
            let mut faults = own::fault_onsets(&reports, &shared.catalogues.faults, machine.model.as_deref());
            faults.retain(|fault| period.contains(&fault.at.as_millisecond()));
            let total = faults.len() as i64;
            let page = faults.into_iter().skip(slice.offset as usize).take(slice.limit as usize);
            return Ok((Series { faults: page.collect(), ..Series::default() }, total));
        }
        Resource::FuelRemaining => catalogue::FUEL_LEVEL_PCT,
        Resource::DefRemaining => catalogue::DEF_LEVEL_PCT,
        Resource::Number(metric @ (Metric::LoadFactorLast24 | Metric::MaximumSpeedLast24)) => {
            return Ok(of(days_of_use(client, machine_id, period, metric, slice).await?, |equipment, at, value| {
                equipment.values.set(metric, at, value);
            }));
        }
        Resource::Number(metric) => match own::signal(metric) {
            Some(signal) => signal,
            None => return Ok((Series::default(), 0)),
        },
    };
    let found = store::changes(&**client, machine_id, signal, period, slice).await?;
    Ok(of(found, |equipment, at, value| match resource {
        Resource::FuelRemaining => {
            equipment.fuel_remaining = Some(Timed { at, value: Remaining { percent: value, capacity_l: None } });
        }
        Resource::DefRemaining => {
            equipment.def_remaining = Some(Timed { at, value: Remaining { percent: value, capacity_l: None } });
        }
        Resource::Number(metric) => {
            let mut values = Values::default();
            values.set(metric, at, value);
            equipment.values = values;
        }
        Resource::Locations | Resource::EngineCondition | Resource::Faults => {}
    }))
}

/// A figure of 24 hours at each midnight of UTC in a period: no shorter step makes another day of it.
async fn days_of_use(
    client: &Pooled,
    machine_id: i64,
    period: &std::ops::Range<i64>,
    metric: Metric,
    slice: Slice,
) -> Result<Entries<f64>, ApiError> {
    let first = period.start.div_euclid(DAY_MS) + 1;
    let last = period.end.div_euclid(DAY_MS);
    let days: Vec<(i64, i64)> = (first..=last).map(|day| (machine_id, day * DAY_MS)).collect();
    let used = store::use_of_days(&**client, &days).await?;
    let figure = |used: &UseOfDay| {
        let figure = if metric == Metric::LoadFactorLast24 { used.load_pct } else { used.speed_kmh };
        figure.map(|value| Recorded { recorded_at_ms: used.until_ms, value: own::tenths(value) })
    };
    let entries: Vec<_> = used.iter().filter_map(figure).collect();
    let total = entries.len() as i64;
    let page = entries.into_iter().skip(slice.offset as usize).take(slice.limit as usize);
    Ok(Entries { entries: page.collect(), total })
}

/// The entries of a page, each set by `set`, and how many there are in all.
fn of<T>(found: Entries<T>, set: impl Fn(&mut Equipment, Timestamp, T)) -> (Series, i64) {
    let entry = |Recorded { recorded_at_ms, value }| {
        let mut equipment = Equipment::default();
        set(&mut equipment, Timestamp::from_millisecond(recorded_at_ms).ok()?, value);
        Some(equipment)
    };
    let entries = found.entries.into_iter().filter_map(entry).collect();
    (Series { entries, ..Series::default() }, found.total)
}
