//! Our server: sign-in, pages, one machine, time series.

use std::net::SocketAddr;
use std::time::Duration;

use polevod::api::{self, Shared};
use polevod::exchange::aemp::fetch::{self, Server, SignIn};
use polevod::exchange::aemp::{self, Equipment, Metric};
use polevod::store::{self, ForeignMachine, Reach, Scope};
use tokio::sync::watch;
use ureq::Agent;
use wire::{BootId, MachineSerial, Sample, SignalId, catalogue};

use crate::harness::{Database, Settings, blocking, sample};
use crate::standard::validated;

/// 2026-08-20T05:12:00Z.
const NOON_MS: i64 = 1_787_202_720_000;

/// A service with a database, and a token for it.
struct Site {
    database: Database,
    address: SocketAddr,
    token: String,
    _stop: watch::Sender<bool>,
}

/// What an answer is.
struct Answer {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: String,
}

impl Site {
    async fn start() -> Self {
        Self::with(|settings| settings).await
    }

    async fn with(set: impl Fn(Settings) -> Settings) -> Self {
        let database = Database::shared().await;
        let config =
            set(Settings::new(&database.url, "mqtt://127.0.0.1:1").with("http.listen", "127.0.0.1:0")).config();
        let listener = api::bind(&config).await.unwrap().unwrap();
        let address = listener.address().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(listener.serve(Shared::new(&config, None), stopped));
        let client = database.client().await;
        let token = store::create_token(&client, "test", &[Scope::Aemp], Reach::Everything, None).await.unwrap();
        Self { database, address, token, _stop: stop }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/iso15143-3{path}", self.address)
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        blocking(|| answer(request.call().unwrap()))
    }

    /// A page with the token, as text.
    fn page(&self, path: &str) -> String {
        let answer = self.get(path, &[("Authorization", &format!("Bearer {}", self.token))]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    fn ask_token(&self, form: &[(&str, &str)]) -> Answer {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        blocking(|| answer(agent.post(self.url("/token")).send_form(form.to_vec()).unwrap()))
    }

    async fn store(&self, machines: &[ForeignMachine]) {
        let config = Settings::new(&self.database.url, "mqtt://127.0.0.1:1").config();
        let database = config.database.clone();
        let settings = store::Settings {
            register_unknown_machines: true,
            late_after_ms: 300_000,
            zone: config.clock.zone.0,
            payload_bytes_max: 0,
            without_ledger: false,
        };
        let mut session = store::Session::connect(&database).await.unwrap();
        store::import_foreign(&mut session, machines, &settings, NOON_MS).await.unwrap();
    }
}

fn answer(response: ureq::http::Response<ureq::Body>) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.into_body().read_to_string().unwrap() }
}

fn machine(serial: &str, model: Option<&str>, samples: Vec<Sample>) -> ForeignMachine {
    ForeignMachine {
        machine: MachineSerial::parse(serial).unwrap(),
        maker: None,
        model: model.map(Into::into),
        name: None,
        boot: BootId::new(7).unwrap(),
        samples,
    }
}

fn at(second: i64, values: &[(SignalId, f64)]) -> Sample {
    sample(NOON_MS + second * 1000, values)
}

/// A tractor at work: position each 10 s, counters that grow, the engine off at the end.
fn tractor() -> ForeignMachine {
    let day_before = -20 * 3600;
    let mut samples = vec![at(day_before, &[(catalogue::FUEL_TOTAL_L, 1000.0)])];
    for step in 0..60 {
        let hours = 219.2 + f64::from(step / 18) * 0.05;
        samples.push(at(
            i64::from(step) * 10,
            &[
                (catalogue::LATITUDE_DEG, 56.5 + f64::from(step) * 1e-4),
                (catalogue::LONGITUDE_DEG, 84.97),
                (catalogue::ENGINE_SPEED_RPM, if step < 50 { 1800.0 } else { 0.0 }),
                (catalogue::ENGINE_HOURS_H, hours),
                (catalogue::FUEL_TOTAL_L, 1100.0 + f64::from(step) * 0.5),
                (catalogue::FUEL_LEVEL_PCT, 62.4),
                (catalogue::IDLE_HOURS_H, 10.5),
            ],
        ));
    }
    machine("BY-3522-0017", Some("mtz-3522"), samples)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_keeps_to_the_standard_and_a_plain_xml_reader_finds_every_value() {
    let site = Site::start().await;
    site.store(&[tractor(), machine("SILENT-1", None, Vec::new())]).await;
    let page = site.page("/Fleet/1");
    assert!(page.contains("xmlns=\"http://standards.iso.org/iso/15143/-3\""));
    let texts = validated(&page);
    let text = |path: &str| texts.get(path).map(String::as_str);
    let first = |path: &str| text(&format!("Fleet/Equipment[1]/{path}"));
    assert_eq!(first("EquipmentHeader[1]/OEMName[1]"), Some("MTZ"));
    assert_eq!(first("EquipmentHeader[1]/Model[1]"), Some("mtz-3522"));
    assert_eq!(first("EquipmentHeader[1]/PIN[1]"), Some("BY-3522-0017"));
    assert_eq!(first("CumulativeOperatingHours[1]/Hour[1]"), Some("219.35"));
    assert_eq!(first("CumulativeOperatingHours[1]@datetime"), Some("2026-08-20T05:21:50Z"));
    assert_eq!(first("CumulativeIdleHours[1]/Hour[1]"), Some("10.5"));
    assert_eq!(first("FuelUsed[1]/FuelConsumed[1]"), Some("1129.5"));
    assert_eq!(first("FuelUsed[1]/FuelUnits[1]"), Some("litre"));
    assert_eq!(first("FuelUsedLast24[1]/FuelConsumed[1]"), Some("129.5"));
    assert_eq!(first("FuelRemaining[1]/Percent[1]"), Some("62.4"));
    assert_eq!(first("FuelRemaining[1]/FuelTankCapacity[1]"), Some("650"), "by the catalogue of models");
    assert_eq!(first("EngineStatus[1]/Running[1]"), Some("false"));
    assert_eq!(first("Location[1]/Latitude[1]"), Some("56.5059"));
    // What is not known is absent, not zero.
    assert_eq!(first("Distance[1]/Odometer[1]"), None);
    assert_eq!(first("DEFRemaining[1]/Percent[1]"), None);
    let second: Vec<&String> = texts.keys().filter(|path| path.starts_with("Fleet/Equipment[2]/")).collect();
    assert!(second.iter().all(|path| path.starts_with("Fleet/Equipment[2]/EquipmentHeader")), "{second:?}");
    assert_eq!(text("Fleet/Equipment[2]/EquipmentHeader[1]/Model[1]"), Some("unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_client_signs_in_and_reads_every_page_of_a_large_fleet() {
    let site = Site::start().await;
    let fleet: Vec<_> = (0..250)
        .map(|n| machine(&format!("M-{n:03}"), Some("gs12"), vec![at(n, &[(catalogue::ENGINE_HOURS_H, n as f64)])]))
        .collect();
    site.store(&fleet).await;
    let (client_id, secret) = site.token.strip_prefix("pvt_").unwrap().split_once('_').unwrap();
    let server = Server {
        url: site.url(""),
        sign_in: SignIn::ClientCredentials {
            token_url: site.url("/token"),
            client_id: client_id.into(),
            client_secret: secret.into(),
            scope: String::new(),
        },
        patience: Duration::from_secs(1),
    };
    let mut pages: Vec<Vec<Equipment>> = Vec::new();
    blocking(|| {
        fetch::fleet(&server, |page, problems| {
            assert_eq!(problems, []);
            pages.push(page.equipment);
        })
        .unwrap();
    });
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    let hours = pages.iter().flatten().filter_map(|machine| machine.values.get(Metric::OperatingHours));
    assert_eq!(hours.map(|hours| hours.value).sum::<f64>(), f64::from((0..250).sum::<i32>()));

    let second = site.page("/Fleet/2");
    let (page, _) = aemp::fleet("page", second.as_bytes());
    let links = page.links.iter().map(|link| (link.rel, link.href.rsplit('/').next().unwrap()));
    use aemp::Rel::*;
    assert_eq!(links.collect::<Vec<_>>(), [(Own, "2"), (Prev, "1"), (Next, "3"), (Last, "3")]);
    let beyond = site.get("/Fleet/4", &[("Authorization", &format!("Bearer {}", site.token))]);
    assert_eq!(beyond.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_machine_and_its_time_series_are_found_in_any_case_and_in_both_forms() {
    let site = Site::start().await;
    site.store(&[tractor()]).await;
    let machine = "/fleet/equipment/makeModelSerial/mtz/MTZ-3522/BY-3522-0017";
    let (found, problems) = aemp::fleet("page", site.page(machine).as_bytes());
    assert_eq!((found.equipment.len(), problems.len()), (1, 0));
    let day = "2026-08-20T00:00:00Z/2026-08-21T00:00:00Z";
    let series = |resource: &str| {
        let text = site.page(&format!("{machine}/{resource}/{day}/1"));
        let (series, problems) = aemp::series("page", text.as_bytes());
        assert_eq!(problems, [], "{text}");
        series
    };
    // A place a minute; hours when they change; the engine when it starts and stops.
    assert_eq!(series("Locations").entries.len(), 10);
    let hours: Vec<f64> = series("cumulativeOperatingHours")
        .entries
        .iter()
        .filter_map(|entry| entry.values.get(Metric::OperatingHours))
        .map(|hours| hours.value)
        .collect();
    assert_eq!(hours, [219.2, 219.25, 219.3, 219.35]);
    let running: Vec<bool> =
        series("engineCondition").entries.iter().filter_map(|e| Some(e.engine.as_ref()?.value.is_running)).collect();
    assert_eq!(running, [true, false]);
    assert_eq!(series("fuelRemainingRatio").entries.len(), 1);
    assert_eq!(series("cumulativeFuelUsed").entries.len(), 60);
    assert_eq!(series("cumulativeIdleHours").entries.len(), 1);
    assert_eq!(series("faults").faults, []);

    let bearer = format!("Bearer {}", site.token);
    let json = site.get(machine, &[("Authorization", &bearer), ("Accept", "application/iso15143-snapshot+json")]);
    assert_eq!(json.headers["content-type"], "application/json");
    let value: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(value["CumulativeOperatingHours"]["Hour"], 219.35);
    assert_eq!(value["EngineStatus"]["Running"], false);
    for (path, status) in [
        ("/Fleet/Equipment/MakeModelSerial/Claas/mtz-3522/BY-3522-0017", 404),
        ("/Fleet/Equipment/MakeModelSerial/MTZ/mtz-3522/NOBODY", 404),
        (&*format!("{machine}/SwitchStatus/{day}/1"), 400),
        (&*format!("{machine}/Locations/{day}/0"), 400),
        ("/Farm/1", 404),
    ] {
        assert_eq!(site.get(path, &[("Authorization", &bearer)]).status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_when_they_come_up_and_a_long_series_is_paged() {
    let site = Site::start().await;
    let samples = (0..450).map(|n| {
        at(
            n * 60,
            &[(catalogue::ODOMETER_KM, n as f64), (catalogue::LATITUDE_DEG, 56.5), (catalogue::LONGITUDE_DEG, 84.9)],
        )
    });
    site.store(&[machine("T-1", None, samples.collect())]).await;
    site.database
        .run(
            "insert into fault_report (machine_id, boot_id, sequence, recorded_at, time_quality, received_at, active,
                                       source_address, lamp_state, lamp_flash, codes)
             select machine_id, 1, n, timestamptz '2026-08-20T06:00:00Z' + n * interval '5 seconds', 0, now(), true, 0,
                    4, 255, case when n < 10 then '{}'::integer[] else '{110,16,1,0}'::integer[] end
             from machine, generate_series(0, 19) n",
        )
        .await;
    let series = |rest: &str| {
        let text = site.page(&format!("/Fleet/Equipment/MakeModelSerial/unknown/unknown/T-1/{rest}"));
        aemp::series("page", text.as_bytes()).0
    };
    let faults = series("Faults/2026-08-20/2026-08-21").faults;
    let [fault] = &faults[..] else { panic!("one fault, not {faults:?}") };
    assert_eq!((fault.identifier.as_str(), fault.severity.as_str()), ("110/16", "High"));
    assert!(fault.description.to_lowercase().contains("coolant"), "{fault:?}");
    assert_eq!(fault.at.to_string(), "2026-08-20T06:00:50Z");
    // A period that begins while the code is active holds no onset.
    assert_eq!(series("Faults/2026-08-20T06:01:20Z/2026-08-21").faults, []);
    let odometer = |page: i64| series(&format!("Distance/2026-08-20/2026-08-21/{page}"));
    let first = odometer(1);
    assert_eq!(first.entries.len(), 100);
    assert!(
        first.links.iter().any(|link| link.rel == aemp::Rel::Last && link.href.ends_with("/5")),
        "{:?}",
        first.links
    );
    assert_eq!(odometer(5).entries.len(), 50);
    assert_eq!(odometer(6).entries.len(), 0);
}

/// Whether a page holds a value, and which: in both forms.
fn figures_of(site: &Site, path: &str, element: &str, number: &str) -> (Option<String>, serde_json::Value) {
    let texts = validated(&site.page(path));
    let found = texts.iter().find(|(path, _)| path.ends_with(&format!("{element}[1]/{number}[1]")));
    let bearer = format!("Bearer {}", site.token);
    let json = site.get(path, &[("Authorization", &bearer), ("Accept", "application/json")]);
    let value: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    let machines = value["Equipment"].as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let machine = machines.into_iter().find(|machine| !machine[element].is_null()).unwrap_or_default();
    (found.map(|(_, text)| text.clone()), machine[element][number].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn load_and_speed_are_those_of_the_24_hours_before_the_snapshot() {
    let site = Site::start().await;
    let now_s = jiff::Timestamp::now().as_second();
    // Seconds before now.
    let at = |ago_s: i64, values: &[(SignalId, f64)]| sample((now_s - ago_s) * 1000, values);
    let running = |ago_s, load_pct, speed_kmh| {
        at(
            ago_s,
            &[
                (catalogue::ENGINE_SPEED_RPM, 1900.0),
                (catalogue::ENGINE_LOAD_PCT, load_pct),
                (catalogue::GROUND_SPEED_KMH, speed_kmh),
            ],
        )
    };
    let mut samples = vec![running(30 * 3600, 100.0, 38.0), running(30 * 3600 - 1, 100.0, 38.0)];
    // A minute at 90 % in samples of ten seconds, then three minutes at 30 % in samples of a minute.
    samples.extend((0..=6).map(|step| running(7_200 - step * 10, 90.0, 8.0)));
    samples.extend((1..=3).map(|step| running(7_140 - step * 60, 30.0, 12.0)));
    // The receiver jumps; then the engine stands, and what it says of its load counts for nothing.
    samples.push(running(6_959, 30.0, 97.0));
    samples.push(at(
        6_900,
        &[(catalogue::ENGINE_SPEED_RPM, 0.0), (catalogue::ENGINE_LOAD_PCT, 0.0), (catalogue::GROUND_SPEED_KMH, 0.0)],
    ));
    site.store(&[machine("USED-1", Some("mtz-3522"), samples), machine("SILENT-1", None, Vec::new())]).await;
    for path in ["/Fleet/1", "/Fleet/Equipment/MakeModelSerial/MTZ/mtz-3522/USED-1"] {
        let load = figures_of(&site, path, "AverageLoadFactorLast24", "Percent");
        // (60 s · 90 + 181 s · 30) / 241 s, by the time between samples.
        assert_eq!(load, (Some("44.9".into()), 44.9.into()), "{path}");
        let speed = figures_of(&site, path, "MaximumSpeedLast24", "SpeedValue");
        assert_eq!(speed, (Some("12".into()), serde_json::json!(12.0)), "{path}");
        let unit = figures_of(&site, path, "MaximumSpeedLast24", "SpeedUnits");
        assert_eq!(unit.0.as_deref(), Some("kilometre per hour"));
    }
    let silent = site.page("/Fleet/Equipment/MakeModelSerial/unknown/unknown/SILENT-1");
    assert!(!silent.contains("Last24"), "what is not known is absent: {silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_of_a_days_use_has_an_entry_for_each_utc_day() {
    let site = Site::start().await;
    // The 20th from 05:12 on, the 21st not at all, the 22nd.
    let day = |days: i64, load_pct: f64, speed_kmh: f64| {
        (0..60).map(move |step| {
            at(
                days * 86_400 + step,
                &[
                    (catalogue::ENGINE_SPEED_RPM, 1900.0),
                    (catalogue::ENGINE_LOAD_PCT, load_pct),
                    (catalogue::GROUND_SPEED_KMH, speed_kmh),
                ],
            )
        })
    };
    site.store(&[machine("USED-2", None, day(0, 80.0, 9.0).chain(day(2, 40.0, 31.5)).collect())]).await;
    let series = |resource: &str, metric: Metric, period: &str| {
        let text = site.page(&format!("/Fleet/Equipment/MakeModelSerial/unknown/unknown/USED-2/{resource}/{period}"));
        let (series, problems) = aemp::series("page", text.as_bytes());
        assert_eq!(problems, [], "{text}");
        let figures = series.entries.iter().filter_map(|entry| entry.values.get(metric));
        figures.map(|figure| format!("{} {}", figure.at, figure.value)).collect::<Vec<_>>()
    };
    let load = series("averageLoadFactorLast24", Metric::LoadFactorLast24, "2026-08-20/2026-08-24/1");
    assert_eq!(load, ["2026-08-21T00:00:00Z 80", "2026-08-23T00:00:00Z 40"]);
    let speed = series("MaximumSpeedLast24", Metric::MaximumSpeedLast24, "2026-08-22T06:00:00Z/2026-08-23T00:00:00Z/1");
    assert_eq!(speed, ["2026-08-23T00:00:00Z 31.5"]);
    assert!(series("MaximumSpeedLast24", Metric::MaximumSpeedLast24, "2026-08-20/2026-08-24/2").is_empty());
    let bearer = format!("Bearer {}", site.token);
    let path =
        "/Fleet/Equipment/MakeModelSerial/unknown/unknown/USED-2/AverageLoadFactorLast24/2026-08-20/2026-08-24/1";
    let json = site.get(path, &[("Authorization", &bearer), ("Accept", "application/json")]);
    let value: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(value["AverageLoadFactorLast24"][1]["Percent"], 40.0, "{value}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_an_organisation_shows_its_machines_and_knows_of_no_others() {
    let site = Site::start().await;
    let numbered =
        |n: i64| machine(&format!("M-{n:03}"), Some("gs12"), vec![at(n, &[(catalogue::ENGINE_HOURS_H, n as f64)])]);
    site.store(&(0..230).map(numbered).collect::<Vec<_>>()).await;
    let client = site.database.client().await;
    let (dawn, field) = (
        store::enter_organisation(&client, "ООО Заря").await.unwrap(),
        store::enter_organisation(&client, "Колос").await.unwrap(),
    );
    assert_eq!(store::enter_organisation(&client, "ООО Заря").await.unwrap(), dawn, "a name is one organisation");
    assert!(store::enter_organisation(&client, " ").await.is_err());
    // Every second machine up to 219 is of the one, some others of the other, the rest of nobody.
    let serials = |numbers: &[i64]| numbers.iter().map(|n| format!("M-{n:03}")).collect::<Vec<_>>();
    let even: Vec<i64> = (0..110).map(|n| n * 2).collect();
    assert_eq!(store::assign_machines(&client, &serials(&even), Some(dawn)).await.unwrap(), Vec::<String>::new());
    store::assign_machines(&client, &serials(&[1, 3, 5]), Some(field)).await.unwrap();
    assert_eq!(
        store::assign_machines(&client, &["NOBODY".into()], Some(field)).await.unwrap(),
        ["NOBODY"],
        "an unknown machine is told"
    );
    let organisations = store::organisations(&client).await.unwrap();
    assert_eq!(organisations, [("Колос".to_owned(), 3), ("ООО Заря".to_owned(), 110)]);

    let limited = |organisation_id| Reach::Organisation(organisation_id);
    let of_dawn = store::create_token(&client, "Заря", &[Scope::Aemp], limited(dawn), None).await.unwrap();
    let of_field = store::create_token(&client, "Колос", &[Scope::Aemp], limited(field), None).await.unwrap();
    let get = |token: &str, path: &str| site.get(path, &[("Authorization", &format!("Bearer {token}"))]);
    let fleet = |token: &str, page: i64| {
        let answer = get(token, &format!("/Fleet/{page}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        aemp::fleet("page", answer.body.as_bytes()).0
    };
    let last = |page: &aemp::Fleet| {
        let link = page.links.iter().find(|link| link.rel == aemp::Rel::Last).unwrap();
        link.href.rsplit('/').next().unwrap().to_owned()
    };
    // Pages count within what the token sees.
    let (first, second) = (fleet(&of_dawn, 1), fleet(&of_dawn, 2));
    assert_eq!((first.equipment.len(), second.equipment.len(), last(&first)), (100, 10, "2".into()));
    let seen = first.equipment.iter().chain(&second.equipment).filter_map(|one| one.header.serial_number.clone());
    assert_eq!(seen.collect::<Vec<_>>(), serials(&even));
    assert_eq!(get(&of_dawn, "/Fleet/3").status, 404);
    let others = fleet(&of_field, 1);
    assert_eq!((others.equipment.len(), last(&others)), (3, "1".into()));
    let all = fleet(&site.token, 1);
    assert_eq!((all.equipment.len(), last(&all)), (100, "3".into()), "an administrator sees every machine");

    let machine = |serial: &str| format!("/Fleet/Equipment/MakeModelSerial/Gomselmash/gs12/{serial}");
    let series = |serial: &str| format!("{}/CumulativeOperatingHours/2026-08-20/2026-08-21/1", machine(serial));
    for (serial, dawn_sees, field_sees) in [("M-004", 200, 404), ("M-003", 404, 200), ("M-007", 404, 404)] {
        for path in [machine(serial), series(serial)] {
            assert_eq!(get(&of_dawn, &path).status, dawn_sees, "{path}");
            assert_eq!(get(&of_field, &path).status, field_sees, "{path}");
            assert_eq!(get(&site.token, &path).status, 200, "{path}");
        }
    }
    let (unknown, foreign) = (get(&of_dawn, &machine("M-999")).body, get(&of_dawn, &machine("M-003")).body);
    assert_eq!(unknown.replace("M-999", ""), foreign.replace("M-003", ""), "an answer does not tell that it exists");

    // What is given for a token's secret sees what the token sees.
    let (id, secret) = of_field.strip_prefix("pvt_").unwrap().split_once('_').unwrap();
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let given: serde_json::Value = serde_json::from_str(&site.ask_token(&form).body).unwrap();
    let access = given["access_token"].as_str().unwrap();
    assert_eq!(fleet(access, 1).equipment.len(), 3);
    assert_eq!(get(access, &machine("M-004")).status, 404);

    // A machine that is sold is seen by its new owner alone.
    store::assign_machines(&client, &serials(&[4]), Some(field)).await.unwrap();
    assert_eq!((get(&of_dawn, &machine("M-004")).status, get(&of_field, &machine("M-004")).status), (404, 200));
    let listed = store::list_tokens(&client).await.unwrap();
    let names: Vec<_> = listed.iter().map(|token| (token.name.as_str(), token.organisation.as_deref())).collect();
    assert_eq!(names, [("Колос", Some("Колос")), ("Заря", Some("ООО Заря")), ("test", None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_without_a_valid_token_of_the_right_scope() {
    let site = Site::with(|settings| settings.with("aemp.requests_per_minute", 3)).await;
    let with = |bearer: &str| site.get("/Fleet/1", &[("Authorization", &format!("Bearer {bearer}"))]);
    let none = site.get("/Fleet/1", &[]);
    assert_eq!((none.status, none.headers["www-authenticate"].to_str().unwrap()), (401, "Bearer realm=\"polevod\""));
    let wrong_secret = format!("{}0", &site.token[..site.token.len() - 1]);
    let wrong_secret =
        if wrong_secret == site.token { format!("{}1", &site.token[..site.token.len() - 1]) } else { wrong_secret };
    for bad in ["", "x", "pvt_1_2", "pva_00", &wrong_secret, &"a".repeat(10_000)] {
        assert_eq!(with(bad).status, 401, "{bad}");
    }
    let client = site.database.client().await;
    let other = store::create_token(&client, "engineer", &[Scope::Capture], Reach::Everything, None).await.unwrap();
    assert_eq!(with(&other).status, 403);
    let expired = store::create_token(&client, "gone", &[Scope::Aemp], Reach::Everything, Some(1)).await.unwrap();
    assert_eq!(with(&expired).status, 401);

    // Three requests a minute, and then a pause that is named.
    for _ in 0..3 {
        assert_eq!(with(&site.token).status, 200);
    }
    let busy = with(&site.token);
    assert_eq!(busy.status, 429);
    let wait: u64 = busy.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");

    let (id, secret) = site.token.strip_prefix("pvt_").unwrap().split_once('_').unwrap();
    let grant = ("grant_type", "client_credentials");
    let refused = site.ask_token(&[grant, ("client_id", id), ("client_secret", "wrong")]);
    assert_eq!((refused.status, refused.body.as_str()), (401, r#"{"error":"invalid_client"}"#));
    let other_grant = site.ask_token(&[("grant_type", "password")]);
    assert_eq!((other_grant.status, other_grant.body.as_str()), (400, r#"{"error":"unsupported_grant_type"}"#));
    let given = site.ask_token(&[grant, ("client_id", id), ("client_secret", secret)]);
    assert_eq!((given.status, given.headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    let given: serde_json::Value = serde_json::from_str(&given.body).unwrap();
    assert_eq!((&given["token_type"], &given["expires_in"]), (&"Bearer".into(), &3600.into()));
    let access = given["access_token"].as_str().unwrap();
    assert_eq!(with(access).status, 429, "it is the same caller");
    store::revoke_token(&client, id).await.unwrap();
    assert_eq!(with(access).status, 401, "what was given for it ends with it");
    assert_eq!(with(&site.token).status, 401);
}
