//! The field-work report: what was done on fields in a period, as a farm can sign it.
//!
//! Grouped by field, operation, machine and day. Every figure is that of the sessions; sums and their ratios are
//! [`Totals`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::derive::field::{Field, covered_m2};
use crate::derive::fieldwork::{DeviceTotal, Operation, Quantity, Session, Source};
use crate::exchange::export::{Machine, Work, code};
use crate::locale::Language;

use super::html::{Html, css_string};
use super::{Drawn, Totals, map};

const STYLE: &str = include_str!("field_work.css");
const M2_PER_HA: f64 = 10_000.0;
const S_PER_H: f64 = 3_600.0;
const M_PER_KM: f64 = 1_000.0;
const KG_PER_T: f64 = 1_000.0;
/// The figures whose meaning stands in the document, in its order.
const DEFINED: [&str; 11] =
    ["area", "covered", "error", "fuel", "l_per_ha", "ha_per_h", "idle", "overlap", "skips", "mass", "complete"];

/// A field-work report.
#[derive(Debug, Clone)]
pub struct FieldWork {
    /// Whose report it is.
    pub organisation: Option<String>,
    /// First and last working day.
    pub period: (Date, Date),
    /// By field; work outside known fields last.
    pub sections: Vec<Section>,
    /// What people changed, with the reason, oldest first.
    pub corrections: Vec<Correction>,
    /// When it was made.
    pub prepared_at: Timestamp,
    /// Zone of its times.
    pub zone: TimeZone,
    /// Where the same report is kept up to date.
    pub address: Option<String>,
}

/// The work on one field.
#[derive(Debug, Clone)]
pub struct Section {
    /// The field; none for work outside known ones.
    pub field: Option<Field>,
    /// Sessions, in any order.
    pub performed: Vec<Performed>,
}

/// A session and what is drawn of it.
#[derive(Debug, Clone)]
pub struct Performed {
    /// The session.
    pub work: Work,
    /// Its strips.
    pub drawn: Drawn,
}

/// A change that a person made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Option<String>,
    /// What was changed, from what to what.
    pub change: String,
    /// Why.
    pub reason: Option<String>,
}

impl FieldWork {
    /// The report as one HTML document that needs nothing else.
    pub fn render(&self, language: Language) -> String {
        let mut html = Html::new(language);
        self.begin(&mut html);
        self.heading(&mut html);
        if self.sessions().next().is_none() {
            html.element("p", language.text("report.no_work"));
        }
        for section in &self.sections {
            self.section(&mut html, section);
        }
        self.corrections(&mut html);
        definitions(&mut html);
        signatures(&mut html);
        self.footer(&mut html);
        html.raw("</body></html>\n");
        html.into_string()
    }

    /// Tells one state of the figures from another: printed copies can be compared by it.
    pub fn edition(&self) -> String {
        let state: Vec<_> = self
            .sections
            .iter()
            .flat_map(|section| &section.performed)
            .map(|performed| (performed.work.session_id, performed.work.revision, &performed.work.session))
            .collect();
        format!("{:08x}", crc32c::crc32c(&serde_json::to_vec(&state).unwrap_or_default()))
    }

    fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sections.iter().flat_map(|section| &section.performed).map(|performed| &performed.work.session)
    }

    fn begin(&self, html: &mut Html) {
        let language = html.language;
        html.raw("<!doctype html>\n<html lang=\"").raw(language.code()).raw("\"><head><meta charset=\"utf-8\">");
        html.raw("<meta name=\"viewport\" content=\"width=device-width\">");
        html.element("title", &format!("{} {}", language.text("report.title"), self.period_text(language)));
        let page = css_string(language.text("report.page"));
        let of = css_string(language.text("report.of"));
        let foot = css_string(&self.foot(language));
        html.raw("<style>").raw(STYLE);
        html.raw(&format!(
            "@page {{ size: A4; margin: 13mm 11mm 15mm; font: 7.5pt \"Liberation Sans\", Arial, sans-serif; \
             @bottom-left {{ content: \"{foot}\"; }} @bottom-right {{ content: \"{page} \" counter(page) \" {of} \" \
             counter(pages); }} }}</style></head><body>"
        ));
    }

    fn heading(&self, html: &mut Html) {
        let language = html.language;
        let totals = Totals::of(self.sessions());
        html.raw("<header>").element("h1", language.text("report.title"));
        html.raw("<dl class=\"head\">");
        let fields = self.sections.iter().map(|section| match &section.field {
            Some(field) => field.name.clone(),
            None => language.text("word.outside_fields").to_owned(),
        });
        let mut farms: Vec<&str> = self.works().filter_map(|work| work.farm.as_deref()).collect();
        farms.sort_unstable();
        farms.dedup();
        let mut operations: Vec<Operation> = self.sessions().map(|session| session.operation).collect();
        operations.sort();
        operations.dedup();
        let operations: Vec<String> = operations.iter().map(|op| language.word("operation", op.name())).collect();
        let revisions = self.works().map(|work| work.revision).max();
        let edition = match revisions {
            Some(revision) => format!("{revision} · {}", self.edition()),
            None => self.edition(),
        };
        for (key, value) in [
            ("report.organisation", self.organisation.clone().or_else(|| Some(farms.join(", ")))),
            ("report.period", Some(self.period_text(language))),
            ("report.field", Some(fields.collect::<Vec<_>>().join(", "))),
            ("report.operation", Some(operations.join(", "))),
            ("report.prepared", Some(self.prepared(language))),
            ("report.revision", Some(edition)),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                html.element("dt", language.text(key)).element("dd", &value);
            }
        }
        html.element("dt", language.text("report.complete")).raw("<dd>");
        complete(html, &totals);
        html.raw("</dd></dl></header>");
    }

    fn works(&self) -> impl Iterator<Item = &Work> {
        self.sections.iter().flat_map(|section| &section.performed).map(|performed| &performed.work)
    }

    fn section(&self, html: &mut Html, section: &Section) {
        let language = html.language;
        html.raw("<section>");
        match &section.field {
            Some(field) => {
                html.raw("<h2>").text(&field.name);
                if let Some(code) = field.code.as_deref().filter(|code| *code != field.name) {
                    html.text(&format!(" ({code})"));
                }
                html.raw(" <span class=\"soft\">");
                html.hectares("field_area", Some(field.boundary.area_ha())).unit("ha");
                if let Some(crop) = &field.crop {
                    html.text(&format!(", {}", language.crop(crop)));
                }
                html.raw("</span></h2>");
            }
            None => {
                html.element("h2", language.text("report.outside"));
            }
        }
        let mut by_operation: BTreeMap<Operation, Vec<&Performed>> = BTreeMap::new();
        for performed in &section.performed {
            by_operation.entry(performed.work.session.operation).or_default().push(performed);
        }
        for (operation, mut performed) in by_operation {
            performed.sort_by_key(|one| (&one.work.machine, one.work.session.started_at, one.work.session_id));
            self.operation(html, section.field.as_ref(), operation, &performed);
        }
        html.raw("</section>");
    }

    fn operation(&self, html: &mut Html, field: Option<&Field>, operation: Operation, performed: &[&Performed]) {
        let language = html.language;
        let sessions = || performed.iter().map(|one| &one.work.session);
        let totals = Totals::of(sessions());
        html.element("h3", &language.word("operation", operation.name()));
        html.raw("<div class=\"sides\"><div>");
        totals_table(html, field, &totals, performed);
        trust(html, &totals, sessions());
        html.raw("</div>");
        figure(html, field, performed);
        html.raw("</div>");
        self.sessions_table(html, &totals, performed);
        device_totals(html, performed);
    }

    fn sessions_table(&self, html: &mut Html, totals: &Totals, performed: &[&Performed]) {
        let language = html.language;
        let harvest = totals.wet_t.is_some();
        html.raw("<div class=\"wide\"><table class=\"sessions\"><caption>").text(language.text("report.by_machine"));
        html.raw("</caption><thead><tr>");
        for (key, is_words) in [("day", true), ("times", true), ("implement", true), ("width", false)] {
            let tag = if is_words { "th scope=\"col\" class=\"words\"" } else { "th scope=\"col\"" };
            html.element(tag, &language.word("report.column", key));
        }
        for key in figure_columns(harvest) {
            html.element("th scope=\"col\"", &language.word("report.column", key));
        }
        html.raw("</tr></thead>");
        let columns = 4 + figure_columns(harvest).len();
        let mut notes: Vec<String> = Vec::new();
        for of_machine in performed.chunk_by(|a, b| a.work.machine == b.work.machine) {
            let machine = &of_machine[0].work.machine;
            html.raw(&format!("<tbody><tr><th scope=\"rowgroup\" colspan=\"{columns}\">"));
            html.text(&machine_title(machine)).raw("</th></tr>");
            for one in of_machine {
                self.row(html, &one.work, harvest, &mut notes);
            }
            if of_machine.len() > 1 {
                let sum = Totals::of(of_machine.iter().map(|one| &one.work.session));
                sum_row(html, "sum", language.text("report.machine_total"), &sum, harvest);
            }
            html.raw("</tbody>");
        }
        if performed.len() > 1 {
            html.raw("<tbody>");
            sum_row(html, "all", language.text("report.total"), totals, harvest);
            html.raw("</tbody>");
        }
        html.raw("</table></div>");
        if !notes.is_empty() {
            html.raw("<ol class=\"notes\">");
            for note in &notes {
                html.element("li", note);
            }
            html.raw("</ol>");
        }
    }

    fn row(&self, html: &mut Html, work: &Work, harvest: bool, notes: &mut Vec<String>) {
        let language = html.language;
        let session = &work.session;
        html.raw(&format!("<tr data-session=\"{}\"><td class=\"words day\">", work.session_id));
        html.text(&self.day(session.working_day, language));
        let numbers: Vec<String> = notes_of(session, language)
            .into_iter()
            .map(|note| {
                let known = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
                    notes.push(note);
                    notes.len() - 1
                });
                (known + 1).to_string()
            })
            .collect();
        if !numbers.is_empty() {
            html.element("sup", &format!(" {}", numbers.join(", ")));
        }
        html.raw("</td><td class=\"words times\">")
            .text(&self.span(session, language))
            .raw("</td><td class=\"words\">");
        html.text(session.implement.as_deref().unwrap_or("–")).raw("</td><td>");
        html.figure("width_m", session.width.mean_m, 2);
        if matches!(session.width.source, Source::Inferred) {
            html.raw("*");
        }
        html.raw("</td>");
        figures(html, &Totals::of([session]), harvest);
        html.raw("</tr>");
    }

    /// A working day; its year only where the period does not say it.
    fn day(&self, day: Date, language: Language) -> String {
        let (first, last) = self.period;
        if first.year() == last.year() { language.day_and_month(day) } else { language.date(day) }
    }

    /// Begin and end; with the date where the night belongs to the working day before.
    fn span(&self, session: &Session, language: Language) -> String {
        let (start, end) = (session.started_at, session.ended_at);
        let span = format!("{}–{}", language.time(start, &self.zone), language.time(end, &self.zone));
        let begun_on = start.to_zoned(self.zone.clone()).date();
        if begun_on == session.working_day { span } else { format!("{span} ({})", language.day_and_month(begun_on)) }
    }

    fn corrections(&self, html: &mut Html) {
        let language = html.language;
        html.element("h2", language.text("report.corrections"));
        if self.corrections.is_empty() {
            html.element("p", language.text("report.no_corrections"));
            return;
        }
        html.raw("<table><thead><tr>");
        for key in ["at", "by", "change", "reason"] {
            html.element("th scope=\"col\" class=\"words\"", &language.word("report.correction", key));
        }
        html.raw("</tr></thead><tbody>");
        for correction in &self.corrections {
            html.raw("<tr>");
            let at = language.date_time(correction.at, &self.zone);
            let (by, reason) = (correction.by.as_deref(), correction.reason.as_deref());
            for cell in [&at, by.unwrap_or("–"), &correction.change, reason.unwrap_or("–")] {
                html.element("td class=\"words\"", cell);
            }
            html.raw("</tr>");
        }
        html.raw("</tbody></table>");
    }

    fn footer(&self, html: &mut Html) {
        let foot = self.foot(html.language);
        html.element("footer", &foot);
    }

    /// What stands at the foot of each page.
    fn foot(&self, language: Language) -> String {
        let edition = format!("{} {}", language.text("report.edition"), self.edition());
        match &self.address {
            Some(address) => format!("{edition} · {} {address}", language.text("report.live")),
            None => edition,
        }
    }

    fn period_text(&self, language: Language) -> String {
        let (first, last) = self.period;
        if first == last {
            language.date(first)
        } else {
            format!("{} – {}", language.date(first), language.date(last))
        }
    }

    fn prepared(&self, language: Language) -> String {
        let offset_s = self.zone.to_offset(self.prepared_at).seconds();
        let sign = if offset_s < 0 { '−' } else { '+' };
        let (hours, minutes) = (offset_s.abs() / 3_600, offset_s.abs() / 60 % 60);
        let at = language.date_time(self.prepared_at, &self.zone);
        if minutes == 0 { format!("{at} (UTC{sign}{hours})") } else { format!("{at} (UTC{sign}{hours}:{minutes:02})") }
    }
}

/// Columns of figures, shared by sessions and sums.
fn figure_columns(harvest: bool) -> &'static [&'static str] {
    const ALL: [&str; 10] =
        ["area", "fuel", "l_per_ha", "ha_per_h", "idle", "overlap", "skips", "mass", "yield", "moisture"];
    if harvest { &ALL } else { &ALL[..7] }
}

fn figures(html: &mut Html, totals: &Totals, harvest: bool) {
    for column in figure_columns(harvest) {
        html.raw("<td>");
        match *column {
            "area" => html.hectares("area_ha", totals.area_ha),
            "fuel" => html.figure("fuel_l", totals.fuel_l, 1),
            "l_per_ha" => html.figure("fuel_l_per_ha_total", totals.l_per_ha(), 2),
            "ha_per_h" => html.figure("ha_per_h", totals.ha_per_h(), 2),
            "idle" => html.percent("idle_share_pct", totals.idle_share(), 1),
            "overlap" => html.percent("overlap_pct", totals.overlap_share(), 1),
            "skips" => html.hectares("skipped_ha", totals.skipped_ha),
            "mass" => html.figure("wet_mass_t", totals.wet_t, 2),
            "yield" => html.figure("wet_yield_t_per_ha", totals.wet_t_per_ha(), 2),
            _ => html.figure("moisture_pct", totals.moisture_pct(), 1),
        };
        html.raw("</td>");
    }
}

fn sum_row(html: &mut Html, class: &str, title: &str, totals: &Totals, harvest: bool) {
    html.raw(&format!("<tr class=\"{class}\"><th scope=\"row\" class=\"words\" colspan=\"4\">"))
        .text(title)
        .raw("</th>");
    figures(html, totals, harvest);
    html.raw("</tr>");
}

fn totals_table(html: &mut Html, field: Option<&Field>, totals: &Totals, performed: &[&Performed]) {
    let language = html.language;
    let covered = covered_m2(performed.iter().flat_map(|one| one.drawn.coverage()), field.map(|field| &field.boundary));
    let covered_ha = (covered > 0.0).then_some(covered / M2_PER_HA);
    html.raw("<table class=\"totals\"><tbody>");
    let mut line = |key: &str, write: &dyn Fn(&mut Html)| {
        html.raw("<tr>").element("th scope=\"row\"", &language.word("report.figure", key)).raw("<td>");
        write(html);
        html.raw("</td></tr>");
    };
    line("area", &|html| {
        html.hectares("area_ha", totals.area_ha).unit("ha");
        if let Some(error_ha) = totals.area_error_ha {
            html.raw(" ± ").figure("area_error_ha", Some(error_ha), 2);
        }
        if totals.sessions_with_area < totals.sessions {
            let count = |count: u32| language.number(count.into(), 0);
            let (known, all) = (count(totals.sessions_with_area), count(totals.sessions));
            html.raw("<br>").text(&language.fill("report.area_known", &[("known", &known), ("all", &all)]));
        }
    });
    if let Some(field) = field {
        line("covered", &|html| {
            html.hectares("covered_ha", covered_ha).unit("ha").raw(" (");
            html.percent("covered_pct", covered_ha.map(|ha| ha / field.boundary.area_ha()), 1).unit("pct").raw(")");
        });
    }
    if totals.swept_ha.is_some() {
        line("swept", &|html| {
            html.hectares("swept_ha", totals.swept_ha).unit("ha");
        });
    }
    line("time", &|html| {
        html.figure("total_h", Some(totals.total_h), 1)
            .unit("h")
            .raw(", ")
            .text(language.text("report.at_work"))
            .raw(" ");
        html.figure("working_h", Some(totals.working_h), 1).unit("h");
    });
    line("ha_per_h", &|html| {
        html.figure("ha_per_h", totals.ha_per_h(), 2).unit("ha_per_h");
    });
    line("fuel", &|html| {
        html.figure("fuel_l", totals.fuel_l, 1).unit("l").raw(", ").text(language.text("report.at_work")).raw(" ");
        html.figure("fuel_working_l", totals.fuel_working_l, 1).unit("l");
    });
    line("l_per_ha", &|html| {
        html.figure("fuel_l_per_ha_total", totals.l_per_ha(), 2).unit("l_per_ha");
    });
    line("losses", &|html| {
        html.percent("idle_share_pct", totals.idle_share(), 1).unit("pct").raw(" / ");
        html.percent("overlap_pct", totals.overlap_share(), 1).unit("pct").raw(" / ");
        html.hectares("skipped_ha", totals.skipped_ha).unit("ha");
    });
    if totals.wet_t.is_some() {
        line("mass", &|html| {
            html.figure("wet_mass_t", totals.wet_t, 2).unit("t").raw(", ");
            html.figure("wet_yield_t_per_ha", totals.wet_t_per_ha(), 2).unit("t_per_ha");
        });
        line("moisture", &|html| {
            html.figure("moisture_pct", totals.moisture_pct(), 1).unit("pct");
        });
    }
    if totals.standard_t.is_some() {
        line("standard", &|html| {
            html.figure("standard_mass_t", totals.standard_t, 2).unit("t");
        });
    }
    html.raw("</tbody></table>");
}

/// How complete the data is, and how sure the area.
fn trust<'s>(html: &mut Html, totals: &Totals, sessions: impl Iterator<Item = &'s Session>) {
    let language = html.language;
    let sessions: Vec<&Session> = sessions.collect();
    html.raw("<div class=\"trust\"><p>").text(language.text("report.complete")).raw(": ");
    complete(html, totals);
    let gap_s = sessions.iter().map(|session| session.completeness.longest_gap_s).fold(0.0, f64::max);
    html.raw("; ").text(language.text("report.longest_gap")).raw(" ");
    html.figure("longest_gap_min", Some(gap_s / 60.0), 1).unit("min").raw(".</p><p>");
    let mut error = |key: &str, words: &[String]| {
        let mut words = words.to_vec();
        words.sort();
        words.dedup();
        if !words.is_empty() {
            html.text(&format!("{}: {}. ", language.word("report.told_by", key), words.join(", ")));
        }
    };
    let of = |word: &dyn Fn(&Session) -> Option<String>| {
        sessions.iter().filter_map(|session| word(session)).collect::<Vec<_>>()
    };
    error("work", &of(&|session| Some(language.word("evidence", &code(&session.evidence)))));
    error("width", &of(&|session| Some(language.word("source", &code(&session.width.source)))));
    error("fuel", &of(&|session| Some(language.word("fuel_source", &code(&session.fuel?.source)))));
    html.raw("</p>");
    if let Some((share, position_m)) = area_error(totals, &sessions) {
        let (share, position) = (language.percent(share, 1), language.number(position_m, 1));
        html.element("p", &language.fill("report.area_error", &[("share", &share), ("position", &position)]));
    }
    html.raw("</div>");
}

/// Standard error of the area as a share, and the largest position error behind it.
fn area_error(totals: &Totals, sessions: &[&Session]) -> Option<(f64, f64)> {
    let share = totals.area_error_ha? / totals.area_ha.filter(|area| *area > 0.0)?;
    Some((share, sessions.iter().map(|session| session.positions.error_m).fold(0.0, f64::max)))
}

fn complete(html: &mut Html, totals: &Totals) {
    let language = html.language;
    // Rounded down, so that 100 % means every record.
    let share = totals.completeness().map(|share| (share * 1_000.0).floor() / 1_000.0);
    html.percent("complete_pct", share, 1).unit("pct");
    let count = |count: u64| language.number(count as f64, 0);
    let (stored, all) = (count(totals.stored), count(totals.stored + totals.missing));
    html.text(&format!(" ({})", language.fill("report.records", &[("stored", &stored), ("all", &all)])));
}

fn figure(html: &mut Html, field: Option<&Field>, performed: &[&Performed]) {
    let language = html.language;
    let layers: Vec<map::Layer<'_>> = performed
        .chunk_by(|a, b| a.work.machine == b.work.machine)
        .map(|of| map::Layer { name: of[0].work.machine.label(), drawn: of.iter().map(|one| &one.drawn).collect() })
        .collect();
    let Some(svg) = map::draw(field, &layers, language) else { return };
    html.raw("<figure>").raw(&svg).raw("<ul class=\"legend\">");
    for (number, layer) in layers.iter().enumerate() {
        html.raw("<li>").raw(&map::sign(number)).text(layer.name).raw("</li>");
    }
    html.raw("</ul><figcaption>").text(language.text("report.map_caption")).raw("</figcaption></figure>");
}

fn machine_title(machine: &Machine) -> String {
    let others = [machine.model.as_deref(), machine.name.as_ref().map(|_| machine.serial.as_str())];
    let others: Vec<&str> = others.into_iter().flatten().collect();
    if others.is_empty() {
        machine.label().to_owned()
    } else {
        format!("{} · {}", machine.label(), others.join(" · "))
    }
}

/// What the reader of a row should know.
fn notes_of(session: &Session, language: Language) -> Vec<String> {
    let remarks = session.remarks.iter().map(|remark| language.word("remark", &code(remark)));
    remarks
        .chain(session.operator.as_ref().map(|operator| format!("{}: {operator}", language.text("report.operator"))))
        .collect()
}

/// The machines' own totals beside ours, where they have any.
fn device_totals(html: &mut Html, performed: &[&Performed]) {
    let language = html.language;
    let rows: Vec<(&Work, &DeviceTotal)> = performed
        .iter()
        .flat_map(|one| told_once(&one.work.session.device_totals).into_iter().map(move |total| (&one.work, total)))
        .collect();
    if rows.is_empty() {
        return;
    }
    html.raw("<div class=\"wide\"><table class=\"device\"><caption>").text(language.text("report.device_totals"));
    html.raw("</caption><thead><tr>");
    for (key, is_words) in [
        ("machine", true),
        ("day", true),
        ("quantity", true),
        ("device", false),
        ("ours", false),
        ("difference", false),
    ] {
        let tag = if is_words { "th scope=\"col\" class=\"words\"" } else { "th scope=\"col\"" };
        html.element(tag, &language.word("report.device", key));
    }
    html.raw("</tr></thead><tbody>");
    for (work, total) in rows {
        let (unit, factor, decimals) = shown_as(total.quantity);
        html.raw("<tr>").element("td class=\"words\"", work.machine.label());
        html.element("td class=\"words\"", &language.date(work.session.working_day));
        let unit = language.word("unit", unit);
        html.element("td class=\"words\"", &format!("{}, {unit}", language.word("quantity", &code(&total.quantity))));
        html.raw("<td>").figure("device", Some(total.device * factor), decimals).raw("</td><td>");
        html.figure("ours", total.ours.map(|ours| ours * factor), decimals).raw("</td><td>");
        if total.difference.is_some_and(|difference| difference > 0.0) {
            html.raw("+");
        }
        html.percent("difference_pct", total.difference, 1);
        if total.difference.is_some() {
            html.unit("pct");
        }
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

/// One total for each quantity: of a task's and a counter's the task's, which the driver saw on his display.
fn told_once(totals: &[DeviceTotal]) -> Vec<&DeviceTotal> {
    let mut once: BTreeMap<Quantity, &DeviceTotal> = BTreeMap::new();
    for total in totals {
        let known = once.entry(total.quantity).or_insert(total);
        if total.reported_by < known.reported_by {
            *known = total;
        }
    }
    once.into_values().collect()
}

/// Unit for people, factor and decimals of a machine's total.
fn shown_as(quantity: Quantity) -> (&'static str, f64, usize) {
    match quantity {
        Quantity::AreaM2 => ("ha", 1.0 / M2_PER_HA, 2),
        Quantity::WorkingDistanceM | Quantity::OtherDistanceM => ("km", 1.0 / M_PER_KM, 2),
        Quantity::WorkingTimeS | Quantity::OtherTimeS => ("h", 1.0 / S_PER_H, 2),
        Quantity::FuelL => ("l", 1.0, 1),
        Quantity::WetMassKg | Quantity::DryMassKg => ("t", 1.0 / KG_PER_T, 2),
        Quantity::MoisturePct => ("pct", 1.0, 1),
        Quantity::AppliedMassKg => ("kg", 1.0, 1),
    }
}

fn definitions(html: &mut Html) {
    let language = html.language;
    html.element("h2", language.text("report.definitions")).raw("<dl class=\"definitions\">");
    for key in DEFINED {
        html.raw("<div>").element("dt", &language.word("report.defined", key)).raw(" ");
        html.element("dd", &language.word("report.definition", key)).raw("</div>");
    }
    html.raw("</dl>");
}

fn signatures(html: &mut Html) {
    let language = html.language;
    html.raw("<div class=\"signatures\">");
    for key in ["report.done_by", "report.accepted_by"] {
        html.raw("<div>").element("b", language.text(key));
        html.raw("<div class=\"line\"></div>").element("span", language.text("report.name_and_position"));
        html.raw("<div class=\"line\"></div>")
            .element("span", language.text("report.signature_and_date"))
            .raw("</div>");
    }
    html.raw("</div>");
}
