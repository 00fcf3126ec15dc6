//! ISO 15143-3 (AEMP 2.0) server: the fleet a hundred machines a page, one machine, time series; XML, or JSON where the
//! client accepts it.
//!
//! A token with the scope `aemp` is needed, as bearer token or through `/iso15143-3/token` (OAuth 2 client credentials).

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
use crate::exchange::aemp::{Document, Equipment, Fleet, Form, Link, Rel, Resource, Series, Timed, own};
use crate::exchange::aemp::{EngineStatus, Location, Remaining, Values};
use crate::store::{self, Entries, Pooled, Recorded, RegisteredMachine, Scope, Slice};
use address::{Address, Named, PAGE_ENTRIES};
use wire::catalogue;

/// Where the server is mounted.
const PREFIX: &str = "/iso15143-3";
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
    let document = match &address {
        Address::Fleet { page } => fleet(&shared, &client, &base, &address, *page).await?,
        Address::Machine(named) => {
            let machine = find(&client, named).await?;
            snapshot(&shared, &client, &[machine]).await?.remove(0).document(now())
        }
        Address::Series { machine, resource, period, page } => {
            let machine = find(&client, machine).await?;
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
    base: &str,
    address: &Address,
    page: i64,
) -> Result<Document, ApiError> {
    let (machines, total) = store::machines(&**client, slice_of(page)).await?;
    if machines.is_empty() && page > 1 {
        return Err(ApiError::NotFound(format!("there is no page {page}")));
    }
    let equipment = snapshot(shared, client, &machines).await?;
    let fleet = Fleet { snapshot_at: Some(now()), links: links(base, address, page, total), equipment };
    Ok(fleet.document())
}

/// What is known of each machine.
async fn snapshot(
    shared: &Shared,
    client: &Pooled,
    machines: &[RegisteredMachine],
) -> Result<Vec<Equipment>, ApiError> {
    let ids: Vec<i64> = machines.iter().map(|machine| machine.machine_id).collect();
    let newest = store::newest_values(&**client, &ids, &own::signals()).await?;
    let fuel: Vec<_> = newest.iter().filter(|value| value.signal == catalogue::FUEL_TOTAL_L).copied().collect();
    let grown = store::grown_in_a_day(&**client, &fuel).await?;
    let one = |machine: &RegisteredMachine| {
        let of_day = grown.iter().find(|value| value.machine_id == machine.machine_id);
        let model = machine.model.as_deref().and_then(|model| shared.catalogues.models.find(model));
        own::equipment(machine, &newest, of_day, model.and_then(|model| model.tank_l))
    };
    Ok(machines.iter().map(one).collect())
}

/// The machine that an address names: by its serial; make and model must be those of its header.
async fn find(client: &Pooled, named: &Named) -> Result<RegisteredMachine, ApiError> {
    let machine = store::machine_by_serial(&**client, &named.serial).await?;
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
