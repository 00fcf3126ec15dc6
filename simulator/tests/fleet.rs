//! Units against a real Mosquitto and a stand-in for the service.

mod support;

use std::time::Duration;

use simulator::{FleetConfig, Impairments, Ledger, Options, Record, Stop, run};
use support::Responder;

fn broker() -> Option<(String, u16)> {
    let url = std::env::var("POLEVOD_MQTT_URL").ok()?;
    let place = url.strip_prefix("mqtt://")?;
    let (host, port) = place.split_once(':')?;
    Some((host.to_string(), port.parse().ok()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_recorded_is_stored_once_whatever_happens_to_frames_and_answers() {
    let Some((host, port)) = broker() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ledger = folder.path().join("ledger");
    let responder = Responder::start(&host, port, 7).await;
    let fleet = FleetConfig {
        machines: 12,
        accelerate: 600.0,
        frame_samples: 5,
        json_share: 0.3,
        serial_prefix: "T1".into(),
        impairments: Impairments {
            lost_share: 0.05,
            duplicate_share: 0.05,
            reorder_share: 0.05,
            corrupt_share: 0.05,
            outages: None,
        },
        ..FleetConfig::default()
    };
    let options = Options {
        broker_url: format!("mqtt://{host}:{port}"),
        connections: 5,
        ledger: Some(ledger.clone()),
        run_for: Some(Duration::from_secs(4)),
        resend_after: Duration::from_millis(500),
        ..Options::default()
    };
    let report = run(fleet, options, |_| {}, Stop::never()).await.expect("the fleet runs");
    eprintln!("{report:#?}");
    let store = responder.stop();
    assert_eq!(report.pending, 0);
    assert_eq!(report.records_recorded, report.records_stored);
    assert_eq!(store.records(), report.records_recorded);
    let ledger = Ledger::read(&ledger).expect("the ledger reads back");
    assert_eq!(ledger.recorded(), report.records_recorded);
    assert_eq!(ledger.freed(), report.records_recorded);
    for (key, boot) in &ledger.boots {
        let stored: Vec<(u64, Record)> = store.boots[key].records.clone().into_iter().collect();
        let mut recorded: Vec<_> = boot.records().collect();
        recorded.sort_by_key(|(sequence, _)| *sequence);
        assert!(recorded == stored, "{key:?}");
    }
}
