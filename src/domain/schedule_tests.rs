//! The vectors of the changes of clocks, of odd patterns, and of lateness. The oracle that counts ten years minute by
//! minute is in `tests/schedule/`.

use super::*;
use chrono::{NaiveDate, Utc};
use chrono_tz::Europe::Paris;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().unwrap()
}

fn new(cron: &str) -> Result<Schedule, InvalidCron> {
    let deadline = Deadline::At(Weekday::Sat, NaiveTime::from_hms_opt(20, 0, 0).unwrap());
    Schedule::new(cron, Paris, TimeDelta::hours(12), Coalesce::Latest, deadline, at("2026-01-01T00:00:00Z"))
}

fn schedule(cron: &str) -> Schedule {
    new(cron).unwrap()
}

fn midnight(date: NaiveDate) -> Timestamp {
    at_local(Paris, date, NaiveTime::MIN)
}

/// Everything due from the first instant of `from` to the last before `to`, in Paris, in the given format.
fn between(cron: &str, from: &str, to: &str, format: &str) -> Vec<String> {
    let (from, to): (NaiveDate, NaiveDate) = (from.parse().unwrap(), to.parse().unwrap());
    let schedule = schedule(cron);
    let due = schedule.after(midnight(from) - TimeDelta::seconds(1)).take_while(|t| *t < midnight(to));
    due.map(|t| t.with_timezone(&Paris).format(format).to_string()).collect()
}

/// Local times of one day, as the clock on the wall and its offset.
fn on(cron: &str, day: &str) -> Vec<String> {
    let next = day.parse::<NaiveDate>().unwrap() + Days::new(1);
    between(cron, day, &next.to_string(), "%H:%M%:z")
}

/// Dates of 2026, as `01-06`.
fn in_2026(cron: &str) -> Vec<String> {
    between(cron, "2026-01-01", "2027-01-01", "%m-%d")
}

#[test]
fn the_agenda_leaves_on_the_nine_saturdays_of_summer_at_eight() {
    let of_2026 = ["07-04", "07-11", "07-18", "07-25", "08-01", "08-08", "08-15", "08-22", "08-29"];
    let of_2027 = ["07-03", "07-10", "07-17", "07-24", "07-31", "08-07", "08-14", "08-21", "08-28"];
    for cron in [
        "0 8 * 7,8 SAT",
        "0 0 8 * 7,8 SAT",
        "0 8 * 7,8 6",
        "0 8 ? 7,8 SAT",
        "0 8 * JUL,AUG SAT",
        "0 8 * JUL-AUG SAT",
        "0 8 * 7,8 +SAT",
    ] {
        for (year, days) in [(2026, of_2026), (2027, of_2027)] {
            let found = between(cron, &format!("{year}-01-01"), &format!("{}-01-01", year + 1), "%m-%dT%H:%M%:z");
            assert_eq!(found, days.map(|day| format!("{day}T08:00+02:00")), "{cron}");
        }
    }
    let saturday = at("2026-07-04T06:00:00Z");
    assert_eq!(schedule("0 8 * 7,8 SAT").label(saturday), "2026-07-04T08:00+02:00[Europe/Paris]");
}

#[test]
fn changes_of_clocks_neither_lose_nor_repeat_a_fixed_hour() {
    for (cron, spring, autumn) in [
        ("0 30 2 * * *", vec!["03:00+02:00"], vec!["02:30+02:00"]),
        ("30 2 * * *", vec!["03:00+02:00"], vec!["02:30+02:00"]),
        ("0 0 2 * * *", vec!["03:00+02:00"], vec!["02:00+02:00"]),
        ("0 30 1 * * *", vec!["01:30+01:00"], vec!["01:30+02:00"]),
        ("0 0 3 * * *", vec!["03:00+02:00"], vec!["03:00+01:00"]),
        ("0 0 8 * * *", vec!["08:00+02:00"], vec!["08:00+01:00"]),
        ("0 */30 2 * * *", vec![], vec!["02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00"]),
        (
            "0 30 1-3 * * *",
            vec!["01:30+01:00", "03:30+02:00"],
            vec!["01:30+02:00", "02:30+02:00", "02:30+01:00", "03:30+01:00"],
        ),
    ] {
        assert_eq!(on(cron, "2026-03-29"), spring, "{cron} in spring");
        assert_eq!(on(cron, "2026-10-25"), autumn, "{cron} in autumn");
    }
}

#[test]
fn an_hourly_mailing_has_23_runs_in_spring_and_25_in_autumn() {
    let runs = |from, to| between("0 30 * * * *", from, to, "%d").len();
    assert_eq!(runs("2026-03-28", "2026-03-31"), 71);
    assert_eq!(runs("2026-10-24", "2026-10-27"), 73);
}

#[test]
fn two_mailings_may_coincide_after_the_dst_gap() {
    assert_eq!(on("0 30 2 * * *", "2026-03-29"), on("0 0 3 * * *", "2026-03-29"));
}

#[test]
fn days_counted_within_a_month() {
    let first_tuesdays =
        ["01-06", "02-03", "03-03", "04-07", "05-05", "06-02", "07-07", "08-04", "09-01", "10-06", "11-03", "12-01"];
    for cron in ["0 9 * * TUE#1", "0 9 * * 2#1", "0 9 1-7 * +TUE"] {
        assert_eq!(in_2026(cron), first_tuesdays, "{cron}");
    }
    let last_weekdays =
        ["01-30", "02-27", "03-31", "04-30", "05-29", "06-30", "07-31", "08-31", "09-30", "10-30", "11-30", "12-31"];
    assert_eq!(in_2026("0 9 LW * *"), last_weekdays);
    let last_fridays =
        ["01-30", "02-27", "03-27", "04-24", "05-29", "06-26", "07-31", "08-28", "09-25", "10-30", "11-27", "12-25"];
    for cron in ["0 9 * * FRI#L", "0 9 * * 5#L", "0 9 * * 5L", "0 9 * * FRIL"] {
        assert_eq!(in_2026(cron), last_fridays, "{cron}");
    }
    let last_days =
        ["01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"];
    assert_eq!(in_2026("0 9 L * *"), last_days);
    assert_eq!(in_2026("0 9 1W * *")[1], "02-02", "the first of February is a Sunday");
    assert_eq!(in_2026("0 9 1W * *")[0], "01-01", "cron knows no holidays");
    assert_eq!(in_2026("0 9 * * MON-FRI#L").len(), 60, "the last of each weekday, not the last weekday");
}

#[test]
fn a_day_of_the_month_or_a_weekday_unless_a_plus_asks_for_both() {
    assert_eq!(in_2026("0 9 1-7 * TUE").len(), 124);
    assert_eq!(in_2026("0 9 1-7 * +TUE").len(), 12);
}

#[test]
fn sunday_is_0_or_7() {
    assert_eq!(in_2026("0 9 * * 7"), in_2026("0 9 * * 0"));
    assert_eq!(in_2026("0 9 * * 7")[0], "01-04");
}

#[test]
fn a_schedule_on_february_29_waits_for_the_leap_year() {
    let leap = schedule("0 8 29 2 *");
    assert_eq!(leap.next_after(at("2026-01-01T00:00:00Z")), Some(at("2028-02-29T07:00:00Z")));
}

#[test]
fn an_invalid_pattern_is_refused_with_a_message() {
    for cron in ["0 9 L-1 * *", "0 9 +1-7 * *", "0 9 * * SAM", "0 25 * * *", "0 9 * *", "0 9 32 * *", "", "demain"] {
        let refused = new(cron).expect_err(cron);
        assert!(matches!(refused, InvalidCron::Pattern(_)), "{cron}: {refused}");
        let said = refused.to_string();
        assert!(said.starts_with("not a cron pattern: ") && said.len() > 30, "{cron}: {said}");
    }
}

#[test]
fn a_schedule_that_never_fires_is_refused() {
    for cron in ["0 0 8 30 2 *", "0 8 31 4,6,9,11 *"] {
        assert!(matches!(new(cron), Err(InvalidCron::Never)), "{cron}");
    }
}

#[test]
fn a_late_occurrence_runs_within_its_catch_up_and_is_missed_after_it() {
    let agenda = schedule("0 8 * 7,8 SAT");
    let saturday = at("2026-07-04T06:00:00Z");
    let before = saturday - TimeDelta::hours(1);
    let decide = |late: TimeDelta| agenda.decide(before, saturday + late);
    assert_eq!(decide(TimeDelta::seconds(-1)), []);
    for in_time in [TimeDelta::zero(), TimeDelta::hours(3), TimeDelta::hours(12)] {
        assert_eq!(decide(in_time), [(saturday, Decision::Run)]);
    }
    for late in [TimeDelta::hours(12) + TimeDelta::milliseconds(1), TimeDelta::hours(30)] {
        assert_eq!(decide(late), [(saturday, Decision::Missed(late))]);
    }
    assert_eq!(agenda.decide(saturday, saturday + TimeDelta::hours(30)), []);
}

#[test]
fn of_several_late_occurrences_the_newest_runs_unless_all_are_configured() {
    let hour = |h: u32| at(&format!("2026-07-04T{h:02}:00:00Z"));
    let mut hourly = schedule("0 * * * *");
    let decide = |hourly: &Schedule| hourly.decide(at("2026-07-04T00:30:00Z"), at("2026-07-04T03:10:00Z"));
    assert_eq!(
        decide(&hourly),
        [(hour(1), Decision::Coalesced), (hour(2), Decision::Coalesced), (hour(3), Decision::Run)]
    );
    hourly.coalesce = Coalesce::All;
    assert_eq!(decide(&hourly), [1, 2, 3].map(|h| (hour(h), Decision::Run)));
}

#[test]
fn a_pass_handles_at_most_a_thousand_and_the_next_one_continues() {
    let mut minutely = schedule("* * * * *");
    minutely.coalesce = Coalesce::All;
    let (start, end) = (at("2026-07-01T00:00:30Z"), at("2026-07-02T18:00:00Z"));
    let first = minutely.decide(start, end);
    assert!(first.len() == 1000 && minutely.is_cut_off(&first));
    let second = minutely.decide(first[999].0, end);
    assert!(second.len() == 1000 && minutely.is_cut_off(&second));
    let third = minutely.decide(second[999].0, end);
    assert_eq!((third.len(), minutely.is_cut_off(&third)), (42 * 60 - 2000, false));
}

#[test]
fn the_deadline_is_the_next_such_local_time() {
    let agenda = schedule("0 8 * 7,8 SAT");
    assert_eq!(agenda.deadline_of(at("2026-07-04T06:00:00Z")), at("2026-07-04T18:00:00Z"));
    assert_eq!(agenda.deadline_of(at("2026-07-04T19:00:00Z")), at("2026-07-11T18:00:00Z"));
    assert_eq!(agenda.deadline_of(at("2026-07-06T06:00:00Z")), at("2026-07-11T18:00:00Z"));
    // Over a change of clocks it is an hour of the wall, not a number of hours.
    assert_eq!(agenda.deadline_of(at("2026-10-25T00:30:00Z")), at("2026-10-31T19:00:00Z"));
}

/// As the ledger applies it: rows are kept once, the cursor never goes back (S4, S5).
struct Ledger {
    cursor: Timestamp,
    decided: Vec<(Timestamp, Decision)>,
}

impl Ledger {
    fn pass(&mut self, schedule: &Schedule, now: Timestamp) {
        let decided = schedule.decide(self.cursor, now);
        let upto = if schedule.is_cut_off(&decided) { decided.last().map_or(now, |it| it.0) } else { now };
        self.cursor = self.cursor.max(upto);
        self.decided.extend(decided);
    }
}

const PATTERNS: [&str; 6] =
    ["0 8 * 7,8 SAT", "0 9 * * TUE#1", "30 2 * * *", "15 */7 * * *", "0 */30 2 * * *", "0 0 12 L * *"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_instant_is_decided_once_whatever_the_passes_and_clock_changes(
        pattern in 0..PATTERNS.len(),
        all in any::<bool>(),
        // Minutes from one pass to the next; a fifth of them back in time.
        steps in prop::collection::vec((-3000_i64..20_000).prop_map(|m| if m < -600 { m } else { m.abs() }), 1..60),
    ) {
        let mut schedule = schedule(PATTERNS[pattern]);
        schedule.coalesce = if all { Coalesce::All } else { Coalesce::Latest };
        let start = at("2026-03-20T00:00:00Z");
        let mut ledger = Ledger { cursor: start, decided: vec![] };
        let (mut now, mut latest) = (start, start);
        for step in steps {
            now += TimeDelta::minutes(step);
            ledger.pass(&schedule, now);
            // Until nothing is left beyond the cap of a pass.
            while ledger.cursor < now {
                ledger.pass(&schedule, now);
            }
            latest = latest.max(now);
        }
        let expected: Vec<_> = schedule.after(start).take_while(|t| *t <= latest).collect();
        let decided: Vec<_> = ledger.decided.iter().map(|it| it.0).collect();
        prop_assert_eq!(decided, expected);
    }

    #[test]
    fn occurrences_run_only_before_their_deadline(
        pattern in 0..PATTERNS.len(),
        lateness in 0_i64..40_000,
    ) {
        let schedule = schedule(PATTERNS[pattern]);
        let cursor = at("2026-06-30T00:00:00Z");
        let now = cursor + TimeDelta::minutes(lateness);
        let decided = schedule.decide(cursor, now);
        prop_assert!(decided.iter().filter(|it| it.1 == Decision::Run).count() <= 1);
        let newest_in_time = decided.iter().rfind(|it| now - it.0 <= schedule.catch_up);
        for it in &decided {
            match it.1 {
                Decision::Run => prop_assert_eq!(Some(it), newest_in_time),
                Decision::Coalesced => prop_assert!(now - it.0 <= schedule.catch_up && Some(it) != newest_in_time),
                Decision::Missed(late) => {
                    prop_assert_eq!(late, now - it.0);
                    prop_assert!(late > schedule.catch_up);
                }
            }
        }
    }
}

/// Field report 49: written for the first Tuesday.
#[test]
fn fr49_a_day_of_the_month_and_a_weekday_are_either_of_them_and_it_is_known() {
    let in_june = |cron: &str| {
        let from = "2027-05-31T22:00:00Z".parse().unwrap();
        let hours = TimeDelta::hours(12);
        let schedule =
            Schedule::new(cron, Tz::Europe__Paris, hours, Coalesce::Latest, Deadline::After(hours), from).unwrap();
        let june = schedule.after(from).take_while(|at| at.with_timezone(&Tz::Europe__Paris).month() == 6);
        let either = schedule.either_day().map(|(day, weekday)| format!("{day} or {weekday}"));
        (june.count(), either)
    };
    // 1 June 2027 is a Tuesday; 1 to 7, and 8, 15, 22, 29.
    assert_eq!(in_june("0 9 1-7 * TUE"), (11, Some("1-7 or TUE".to_owned())));
    assert_eq!(in_june("0 9 1-7 * +TUE"), (1, None));
    assert_eq!(in_june("0 9 * * TUE#1"), (1, None));
    assert_eq!(in_june("0 9 1-7 * *"), (7, None));
    assert_eq!(in_june("0 9 ? * TUE"), (5, None));
}
