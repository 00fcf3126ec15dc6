//! What a farm finds in a report.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::derive::fieldwork::{
    Area, Evidence, FuelSource, Operation, Place, Quantity, Rates, Remark, Source, State, Swath, Width,
};
use crate::exchange::export::{Cell, Machine, Style, Work, code, example, sessions};
use crate::locale::Language;

use super::*;

fn performed(work: Work) -> Performed {
    Performed { work, drawn: Drawn::of(&example::trace()) }
}

/// Two combines on one field over two days, one of them without a width.
fn report() -> FieldWork {
    let first = example::work();
    let mut second = example::work();
    second.session_id = 42;
    second.session.working_day = date(2026, 8, 21);
    second.session.started_at += jiff::SignedDuration::from_hours(12);
    second.session.ended_at += jiff::SignedDuration::from_hours(12);
    second.session.device_totals.clear();
    second.session.remarks.clear();
    let mut other = example::work();
    other.session_id = 43;
    other.machine = Machine { serial: "BY-1218-0009".into(), name: None, model: None };
    other.session.width = Width { mean_m: None, max_m: None, source: Source::Unknown };
    other.session.area = Area::default();
    other.session.rates = Rates { idle_share: other.session.rates.idle_share, ..Rates::default() };
    other.session.remarks = vec![Remark::WidthUnknown];
    FieldWork {
        organisation: Some("ООО \"Заря\" <script>".into()),
        period: (date(2026, 8, 20), date(2026, 8, 21)),
        sections: vec![Section {
            field: Some(example::field()),
            performed: vec![performed(other), performed(second), performed(first)],
        }],
        corrections: vec![Correction {
            at: example::start(),
            by: Some("Агроном".into()),
            change: "ширина 6,0 → 7,0 м".into(),
            reason: Some("замена жатки".into()),
        }],
        prepared_at: example::start(),
        zone: TimeZone::get("Asia/Tomsk").expect("the zone data is built in"),
        address: Some("https://polevod.example/reports/field-work?field=7".into()),
    }
}

/// The words of a document, a line each block.
fn words(html: &str) -> String {
    let body = html.split("<body>").nth(1).expect("a body");
    let mut text = String::new();
    for part in body.split('<') {
        let (tag, content) = part.split_once('>').unwrap_or(("", part));
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        let is_block =
            matches!(name, "h1" | "h2" | "h3" | "p" | "tr" | "dt" | "li" | "caption" | "figcaption" | "footer" | "b");
        if is_block && !text.ends_with('\n') {
            text.push('\n');
        } else if matches!(name, "td" | "th" | "dd" | "span") && !tag.starts_with('/') {
            text.push_str(" | ");
        }
        text.push_str(content);
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(text);
}

#[test]
fn the_russian_report_says_what_was_done() {
    check(
        &words(&report().render(Language::Ru)),
        expect![[r#"
            Отчёт о полевых работах
            Хозяйство
            | ООО &quot;Заря&quot; &lt;script&gt;
            Период
            | 20.08.2026 – 21.08.2026
            Поле
            | Дальнее &amp; ближнее
            Операция
            | Уборка зерновых
            Составлен
            | 21.08.2026 01:30 (UTC+7)
            Редакция
            | 2 · fc5461da
            Полнота данных
            | 98,8 % (10 680 из 10 803 записей)
            Дальнее &amp; ближнее (12/3)  | 41,13 га, яровая пшеница
            Уборка зерновых
            | Площадь работ | 6,28 га ± 0,02известна у 2 из 3 работ
            | Пройдено хотя бы раз | 0,97 га (2,3 %)
            | Ширина × путь | 6,44 га
            | Время | 3,0 ч, в том числе в работе 2,5 ч
            | Производительность | 3,14 га/ч
            | Топливо | 102,8 л, в том числе в работе 97,5 л
            | Расход | 10,91 л/га
            | Простой / перекрытие / огрехи | 8,3 % / 2,5 % / 0,04 га
            | Собрано | 24,49 т, 2,60 т/га
            | Влажность | 18,0 %
            | В зачётной массе | 23,35 т
            Полнота данных: 98,8 % (10 680 из 10 803 записей); наибольший перерыв 0,7 мин.
            Работа распознана: орудие сообщает о работе. Ширина: неизвестно, сообщает машина. Топливо: счётчик двигателя.
            Стандартная погрешность площади 0,3 %; погрешность места до 0,4 м.
            200 мС
            Комбайн 7
            BY-1218-0009
            Тёмная полоса — ширина захвата, линия — середина прохода. Пройденное дважды темнее, непройденное белое.
            По машинам и рабочим дням. Звёздочка: ширина определена по расстоянию между проходами.
            | Рабочий день | Начало–конец | Орудие | Ширина, м | Площадь, га | Топливо, л | л/га | га/ч | Простой, % | Перекр., % | Огрехи, га | Масса, т | т/га | Влажн., %
            | Комбайн 7 · kzs-1218 · BY-1218-0007
            | 20.08 1, 2, 3 | 01:30–02:30 (21.08) | – | 7,00 | 3,14 | 34,2 | 10,91 | 3,14 | 8,3 | 2,5 | 0,02 | 8,16 | 2,60 | 18,0
            | 21.08 3 | 13:30–14:30 | – | 7,00 | 3,14 | 34,2 | 10,91 | 3,14 | 8,3 | 2,5 | 0,02 | 8,16 | 2,60 | 18,0
            | Итого по машине | 6,28 | 68,5 | 10,91 | 3,14 | 8,3 | 2,5 | 0,04 | 16,33 | 2,60 | 18,0
            | BY-1218-0009
            | 20.08 4, 3 | 01:30–02:30 (21.08) | – | – | – | 34,2 | – | – | 8,3 | – | – | 8,16 | – | 18,0
            | Итого | 6,28 | 102,8 | 10,91 | 3,14 | 8,3 | 2,5 | 0,04 | 24,49 | 2,60 | 18,0
            Часть записей за это время не поступила.
            Был перерыв в данных; считается, что машина продолжала работу.
            Оператор: Иван Петров
            Ширина захвата неизвестна: площадь не определена.
            Счётчики машин рядом с нашими итогами
            | Машина | Рабочий день | Показатель | Машина | Наш итог | Разница
            | Комбайн 7 | 20.08.2026 | Площадь, га | 3,20 | 3,22 | +0,6 %
            | BY-1218-0009 | 20.08.2026 | Площадь, га | 3,20 | 3,22 | +0,6 %
            Исправления
            | Когда | Кто | Что изменено | Причина
            | 21.08.2026 01:30 | Агроном | ширина 6,0 → 7,0 м | замена жатки
            Что означает каждый показатель
            Площадь:
            | площадь полос захвата, каждое место один раз за работу, на эллипсоиде; разные машины складываются. Ширина × путь считает повторно пройденное дважды, как счётчик машины.
            Пройдено хотя бы раз:
            | общая площадь всех работ внутри границы поля, без повторов между машинами.
            Погрешность:
            | стандартная погрешность площади от точности положения, перерывов в данных и расчётной сетки.
            Топливо:
            | литры от первого до последнего момента работы, включая развороты, простои и переезды внутри работы.
            л/га:
            | всё топливо работы, делённое на площадь.
            га/ч:
            | площадь, делённая на время от начала до конца работы.
            Простой:
            | доля времени с включённым двигателем, когда машина стоит без работы.
            Перекрытие:
            | доля пройденного захватом, которая пройдена повторно.
            Огрехи:
            | пропущенные полосы внутри обработанной площади, шире погрешности положения.
            Масса и урожайность:
            | масса по датчику машины без поправки по весовой; т/га — масса на площадь работ с измеренной массой.
            Полнота:
            | доля записей, пронумерованных машиной, которая поступила на хранение.
            Работу выполнил
            | фамилия, имя, должность | подпись, дата
            Работу принял
            | фамилия, имя, должность | подпись, дата
            Состояние fc5461da · актуальный отчёт: https://polevod.example/reports/field-work?field=7"#]],
    );
}

#[test]
fn the_english_report_says_the_same() {
    let english = words(&report().render(Language::En));
    check(
        english.split("Corrections").next().expect("the part before"),
        expect![[r#"
            Field-work report
            Farm
            | ООО &quot;Заря&quot; &lt;script&gt;
            Period
            | 20 Aug 2026 – 21 Aug 2026
            Field
            | Дальнее &amp; ближнее
            Operation
            | Grain harvest
            Prepared
            | 21 Aug 2026 01:30 (UTC+7)
            Revision
            | 2 · fc5461da
            Data completeness
            | 98.8 % (10,680 of 10,803 records)
            Дальнее &amp; ближнее (12/3)  | 41.13 ha, spring wheat
            Grain harvest
            | Area worked | 6.28 ha ± 0.02known for 2 of 3 sessions
            | Covered at least once | 0.97 ha (2.3 %)
            | Width × distance | 6.44 ha
            | Time | 3.0 h, of this at work 2.5 h
            | Output | 3.14 ha/h
            | Fuel | 102.8 L, of this at work 97.5 L
            | Fuel per area | 10.91 L/ha
            | Idle / overlap / skips | 8.3 % / 2.5 % / 0.04 ha
            | Harvested | 24.49 t, 2.60 t/ha
            | Moisture | 18.0 %
            | At trade moisture | 23.35 t
            Data completeness: 98.8 % (10,680 of 10,803 records); longest gap 0.7 min.
            Work told by: the implement reports work. Width: reported by the machine, unknown. Fuel: engine counter.
            Standard error of the area 0.3 %; position error up to 0.4 m.
            200 mN
            Комбайн 7
            BY-1218-0009
            A shaded strip is the working width, the line its middle. Ground covered twice is darker, ground left out is white.
            By machine and working day. An asterisk: width worked out from the distance between passes.
            | Working day | Start–end | Implement | Width, m | Area, ha | Fuel, L | L/ha | ha/h | Idle, % | Overlap, % | Skips, ha | Mass, t | t/ha | Moist., %
            | Комбайн 7 · kzs-1218 · BY-1218-0007
            | 20 Aug 1, 2, 3 | 01:30–02:30 (21 Aug) | – | 7.00 | 3.14 | 34.2 | 10.91 | 3.14 | 8.3 | 2.5 | 0.02 | 8.16 | 2.60 | 18.0
            | 21 Aug 3 | 13:30–14:30 | – | 7.00 | 3.14 | 34.2 | 10.91 | 3.14 | 8.3 | 2.5 | 0.02 | 8.16 | 2.60 | 18.0
            | Machine total | 6.28 | 68.5 | 10.91 | 3.14 | 8.3 | 2.5 | 0.04 | 16.33 | 2.60 | 18.0
            | BY-1218-0009
            | 20 Aug 4, 3 | 01:30–02:30 (21 Aug) | – | – | – | 34.2 | – | – | 8.3 | – | – | 8.16 | – | 18.0
            | Total | 6.28 | 102.8 | 10.91 | 3.14 | 8.3 | 2.5 | 0.04 | 24.49 | 2.60 | 18.0
            Some records of this time have not come.
            There was a gap in the data; the machine is taken to have worked on.
            Operator: Иван Петров
            The width is not known: there is no area.
            The machines&#39; own totals beside ours
            | Machine | Working day | Quantity | Machine | Ours | Difference
            | Комбайн 7 | 20 Aug 2026 | Area, ha | 3.20 | 3.22 | +0.6 %
            | BY-1218-0009 | 20 Aug 2026 | Area, ha | 3.20 | 3.22 | +0.6 %
        "#]],
    );
}

/// Every figure that stands in both: the row of a session in the report, and its row in the tables.
#[test]
fn the_report_has_the_figures_of_the_tables() {
    let report = report();
    let html = report.render(Language::Ru);
    let columns = sessions();
    let style = Style { headings: None, zone: report.zone.clone() };
    let mut compared = 0;
    for performed in &report.sections[0].performed {
        let row = html.split(&format!("data-session=\"{}\"", performed.work.session_id)).nth(1).expect("its row");
        let figures: BTreeMap<&str, f64> = row
            .split("</tr>")
            .next()
            .expect("an end")
            .split("<data class=\"")
            .skip(1)
            .map(|part| {
                let (name, rest) = part.split_once("\" value=\"").expect("a value");
                (name, rest.split('"').next().expect("an end").parse().expect("a number"))
            })
            .collect();
        for (name, shown) in figures {
            let column = columns.iter().find(|column| column.name == name).expect("a column of that name");
            let Cell::Number(value, _) = column.cell(&performed.work, &style) else { panic!("{name} is no number") };
            assert!((shown - value).abs() <= 0.005 + value.abs() * 0.002, "{name}: {shown} is not {value}");
            compared += 1;
        }
    }
    assert_eq!(compared, 11 + 11 + 4);
}

#[test]
fn nothing_from_outside_becomes_markup_or_leaves_the_document() {
    let html = report().render(Language::En);
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    for way_out in ["<link", "<img", "src=", "url(", "@import", "href="] {
        assert!(!html.contains(way_out), "{way_out}");
    }
    let hostile = FieldWork { address: Some("\"; } body { display: none } /*</style><b>".into()), ..report() };
    let html = hostile.render(Language::En);
    let style = html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).expect("a style sheet");
    assert!(!style.contains("display: none }") && !style.contains("/*"), "{}", &style[style.len() - 400..]);
}

#[test]
fn the_edition_changes_with_the_figures_and_with_nothing_else() {
    let edition = report().edition();
    let later = FieldWork { prepared_at: example::start() + jiff::SignedDuration::from_hours(5), ..report() };
    assert_eq!(later.edition(), edition);
    let mut changed = report();
    changed.sections[0].performed[0].work.revision += 1;
    assert_ne!(changed.edition(), edition);
}

#[test]
fn a_report_without_work_says_so() {
    let empty = FieldWork { sections: Vec::new(), corrections: Vec::new(), address: None, ..report() };
    let text = words(&empty.render(Language::En));
    assert!(text.contains("No work was found in this period") && text.contains("None."), "{text}");
}

#[test]
fn work_outside_known_fields_has_a_section_and_a_map() {
    let mut work = example::work();
    work.session.place = Place::Outside { name: None, proposed_boundary: Vec::new() };
    let section = Section { field: None, performed: vec![performed(work)] };
    let html = FieldWork { sections: vec![section], ..report() }.render(Language::En);
    assert!(html.contains("<h2>Outside known fields</h2>") && html.contains("<svg class=\"map\""));
}

#[test]
fn a_map_of_very_many_strips_stays_small() {
    let mut trace = example::trace();
    let swath: Swath = trace.swaths[0].clone();
    trace.swaths = vec![swath; 10_000];
    let mut report = report();
    report.sections[0].performed[0].drawn = Drawn::of(&trace);
    assert!(report.render(Language::En).len() < 60_000);
}

#[test]
fn every_word_of_a_session_has_a_translation() {
    let remarks = [
        Remark::WidthInferred,
        Remark::WidthUnknown,
        Remark::RecordsMissing,
        Remark::WorkedThroughGap,
        Remark::WithoutDataPartly,
        Remark::PartlyOutsideField,
        Remark::WaysDiffer,
        Remark::AreaDiffersFromMachine,
        Remark::FuelDiffersFromMachine,
        Remark::MassDiffersFromMachine,
        Remark::FuelPartly,
        Remark::GeometryOnly,
        Remark::TimesEstimated,
        Remark::CounterReset,
        Remark::OperationUnknown,
    ];
    let states =
        [State::Unknown, State::Off, State::Idle, State::Transport, State::Turning, State::Working, State::Unloading];
    let quantities = [
        Quantity::AreaM2,
        Quantity::WorkingDistanceM,
        Quantity::OtherDistanceM,
        Quantity::WorkingTimeS,
        Quantity::OtherTimeS,
        Quantity::FuelL,
        Quantity::WetMassKg,
        Quantity::DryMassKg,
        Quantity::MoisturePct,
        Quantity::AppliedMassKg,
    ];
    let sources =
        [Source::Reported, Source::Task, Source::Assigned, Source::Machine, Source::Inferred, Source::Unknown];
    let fuels =
        [FuelSource::Counter, FuelSource::TaskCounter, FuelSource::CoarseCounter, FuelSource::Rate, FuelSource::Level];
    let mut words: Vec<(&str, String)> = Operation::all().map(|op| ("operation", op.name().to_owned())).collect();
    words.extend(remarks.iter().map(|remark| ("remark", code(remark))));
    words.extend(states.iter().map(|state| ("state", code(state))));
    words.extend(quantities.iter().map(|quantity| ("quantity", code(quantity))));
    words.extend(sources.iter().map(|source| ("source", code(source))));
    words.extend(fuels.iter().map(|fuel| ("fuel_source", code(fuel))));
    let evidence = [Evidence::Implement, Evidence::Engine, Evidence::Geometry];
    words.extend(evidence.iter().map(|evidence| ("evidence", code(evidence))));
    for (set, code) in words {
        for language in Language::ALL {
            let key = format!("{set}.{code}");
            assert_ne!(language.text(&key), key, "in {}", language.code());
        }
    }
}
