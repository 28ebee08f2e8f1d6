//! Instants, and the text that Sequelize v6 writes for them to SQLite.

use std::time::Duration;

use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Milliseconds since the Unix epoch, as JavaScript's `Date` counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// The last instant whose year has four digits: texts with longer years would not compare as the instants do.
const MAX: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Before every instant that a session can have.
    pub const MIN: Self = Self(i64::MIN);

    /// The last instant that is written, and that a later one is read as.
    pub const LAST: Self = Self(MAX);

    /// The time of the system. Sessions live by JavaScript's clock instead, which tests may set.
    pub fn of_system() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }

    /// This instant and some time more.
    pub fn after(self, elapsed: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Whole seconds, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant at which a clock in UTC shows the time that a clock this many minutes east of UTC shows at this one.
    pub fn east(self, minutes: i32) -> Self {
        Self(self.0.saturating_add(i64::from(minutes) * 60_000))
    }

    /// The instant at which a clock in UTC shows this time. A month or day that the calendar does not have is the closest
    /// one; `None` if the time is none of a day.
    pub fn of_clock(
        year: u16,
        [month, day]: [u8; 2],
        [hour, minute, second]: [u8; 3],
        ms: u32,
    ) -> Option<Self> {
        let month = Month::try_from(month.clamp(1, 12)).ok()?;
        let year = i32::from(year);
        let date = Date::from_calendar_date(year, month, day.clamp(1, month.length(year))).ok()?;
        let ms = u16::try_from(ms).ok()?;
        let time = Time::from_hms_milli(hour, minute, second, ms).ok()?;
        Some(Self::from(PrimitiveDateTime::new(date, time).assume_utc()))
    }

    /// `YYYY-MM-DD HH:MM:SS.mmm +00:00`, the text of Sequelize's `DATE` on SQLite. Always in UTC and of the same length, so
    /// that texts compare as the instants do.
    pub fn to_text(self) -> String {
        let format = format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3] +00:00"
        );
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0.clamp(0, MAX)) * 1_000_000)
            .ok()
            .and_then(|at| at.format(format).ok())
            .unwrap_or_default()
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the text of JavaScript's `toISOString`.
    pub fn to_iso(self) -> String {
        let text = self.to_text();
        let (clock, _zone) = text.split_at(text.len().min(23));
        format!("{}Z", clock.replacen(' ', "T", 1))
    }

    /// Parses what Sequelize writes, and similar forms found in other tables: `T` instead of the space, no fraction, no
    /// seconds, no time (midnight), no zone (UTC), `Z`, `+02:00`, `+0200` or `+02`.
    ///
    /// The conditions of statements must take the same texts for dates, or a session would be live for some calls only.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_end_matches(' ').as_bytes();
        let year = number(&mut rest, 4)?;
        let month = number(skipped(&mut rest, b"-")?, 2)?;
        let day = number(skipped(&mut rest, b"-")?, 2)?;
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date =
            Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
        if rest.is_empty() {
            return Some(Self::from(date.midnight().assume_utc()));
        }
        let time = parse_time(skipped(&mut rest, b" T")?)?;
        let offset = parse_offset(&mut rest)?;
        rest.is_empty().then(|| {
            let at = PrimitiveDateTime::new(date, time).assume_utc();
            Self(Self::from(at).0 - offset)
        })
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self(at.unix_timestamp() * 1000 + i64::from(at.millisecond()))
    }
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.mmm`
fn parse_time(rest: &mut &[u8]) -> Option<Time> {
    let hour = u8::try_from(number(rest, 2)?).ok()?;
    let minute = u8::try_from(number(skipped(rest, b":")?, 2)?).ok()?;
    let (mut second, mut ms) = (0, 0);
    if skipped(rest, b":").is_some() {
        second = u8::try_from(number(rest, 2)?).ok()?;
        if skipped(rest, b".").is_some() {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, after) = rest.split_at(digits);
            *rest = after;
            let first = fraction.first()?;
            let kept = [Some(first), fraction.get(1), fraction.get(2)];
            for digit in kept {
                ms = ms * 10 + u16::from(digit.map_or(0, |digit| digit - b'0'));
            }
        }
    }
    Time::from_hms_milli(hour, minute, second, ms).ok()
}

/// The offset from UTC in ms.
fn parse_offset(rest: &mut &[u8]) -> Option<i64> {
    while skipped(rest, b" ").is_some() {}
    if rest.is_empty() || skipped(rest, b"Zz").is_some() {
        return Some(0);
    }
    let sign = if skipped(rest, b"+").is_some() {
        1
    } else {
        skipped(rest, b"-")?;
        -1
    };
    let hours = number(rest, 2).filter(|hours| *hours <= 14)?;
    let minutes = if rest.is_empty() {
        0
    } else {
        _ = skipped(rest, b":");
        number(rest, 2).filter(|minutes| *minutes < 60)?
    };
    Some(sign * (i64::from(hours) * 60 + i64::from(minutes)) * 60_000)
}

/// Takes a number of so many digits from the beginning.
fn number(rest: &mut &[u8], digits: usize) -> Option<u16> {
    let (number, after) = rest.split_at_checked(digits)?;
    *rest = after;
    number.iter().try_fold(0, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte - b'0'))?;
        Some(number * 10 + digit)
    })
}

/// What follows one of these characters, if it comes first.
fn skipped<'a, 'b>(rest: &'a mut &'b [u8], any: &[u8]) -> Option<&'a mut &'b [u8]> {
    let (first, after) = rest.split_first()?;
    if !any.contains(first) {
        return None;
    }
    *rest = after;
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_sequelize_writes() {
        assert_eq!(
            Timestamp(1_893_553_445_678).to_text(),
            "2030-01-02 03:04:05.678 +00:00"
        );
        assert_eq!(Timestamp(0).to_text(), "1970-01-01 00:00:00.000 +00:00");
    }

    #[test]
    fn keeps_one_width_at_the_ends_of_the_calendar() {
        for far in [i64::MIN, -1, MAX, i64::MAX] {
            assert_eq!(Timestamp(far).to_text().len(), 30);
        }
    }

    #[test]
    fn reads_every_form_of_one_instant() {
        for text in [
            "2030-01-02 03:04:05.678 +00:00",
            "2030-01-02 03:04:05.678",
            "2030-01-02T03:04:05.678Z",
            "2030-01-02T03:04:05.678999Z",
            "2030-01-02 08:34:05.678 +05:30",
            "2030-01-01 22:04:05.678 -0500",
        ] {
            assert_eq!(
                Timestamp::parse(text),
                Some(Timestamp(1_893_553_445_678)),
                "{text}"
            );
        }
        assert_eq!(
            Timestamp::parse("2030-01-02 03:04"),
            Some(Timestamp(1_893_553_440_000))
        );
        assert_eq!(
            Timestamp::parse("2030-01-02"),
            Some(Timestamp(1_893_542_400_000))
        );
    }

    #[test]
    fn rejects_what_is_not_a_date() {
        for text in [
            "",
            "soon",
            "2030-13-02 03:04:05",
            "2030-01-02 25:04:05",
            "1893553445678",
            "2030-01-02é03:04",
            "+030-01-02 03:04:05",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        /// Instants that have a text, in ms.
        fn instants() -> impl Strategy<Value = i64> {
            prop_oneof![0..=MAX, Just(0), Just(MAX), 0..10_000_i64]
        }

        /// Texts of the alphabet of dates, most of which are none.
        fn almost_dates() -> impl Strategy<Value = String> {
            prop_oneof![
                "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]{0,12} ?[Zz+-]?[0-9:]{0,6}",
                "[0-9TtZz:. +é-]{0,35}",
                "\\PC{0,40}",
            ]
        }

        proptest! {
            #[test]
            fn what_is_written_is_read(ms in instants()) {
                let at = Timestamp(ms);
                prop_assert_eq!(Timestamp::parse(&at.to_text()), Some(at));
                prop_assert_eq!(Timestamp::parse(&at.to_iso()), Some(at));
            }

            #[test]
            fn texts_compare_as_their_instants(one in any::<i64>(), other in instants()) {
                let clamped = one.clamp(0, MAX);
                prop_assert_eq!(
                    Timestamp(one).to_text().cmp(&Timestamp(other).to_text()),
                    clamped.cmp(&other)
                );
            }

            #[test]
            fn seconds_are_rounded_down(ms in any::<i64>()) {
                let seconds = i128::from(Timestamp(ms).seconds());
                prop_assert!((0..1000).contains(&(i128::from(ms) - seconds * 1000)));
            }

            #[test]
            fn east_and_back_is_where_it_was(ms in instants(), minutes in -1439..=1439_i32) {
                prop_assert_eq!(Timestamp(ms).east(minutes).east(-minutes), Timestamp(ms));
            }

            #[test]
            fn a_clock_with_its_offset_is_the_instant(
                // A day from the ends, so that every clock has four digits of a year.
                ms in 86_400_000..MAX - 86_400_000,
                // No zone is further from UTC, and SQLite reads none.
                minutes in -899..=899_i32,
                colon in any::<bool>(),
                space in any::<bool>(),
            ) {
                let text = Timestamp(ms).east(minutes).to_text();
                let zone = format!(
                    "{}{:02}{}{:02}",
                    if minutes < 0 { '-' } else { '+' },
                    minutes.abs() / 60,
                    if colon { ":" } else { "" },
                    minutes.abs() % 60
                );
                let clock = &text[..23];
                let written = format!("{clock}{}{zone}", if space { " " } else { "" });
                prop_assert_eq!(Timestamp::parse(&written), Some(Timestamp(ms)), "{}", written);
            }

            #[test]
            fn any_text_is_read_or_refused(text in almost_dates()) {
                if let Some(at) = Timestamp::parse(&text) {
                    // What was read is an instant of a year of four digits, give or take an offset.
                    let day = 86_400_000;
                    prop_assert!((-62_167_219_200_000 - day..=MAX + day).contains(&at.0), "{:?}", at);
                }
            }

            #[test]
            fn a_zone_is_utc_or_an_offset_and_not_both(ms in instants(), zone in "[Zz][0-9+:-]{1,6}") {
                let text = Timestamp(ms).to_text();
                let written = format!("{}{zone}", &text[..23]);
                prop_assert_eq!(Timestamp::parse(&written), None, "{}", written);
            }
        }
    }
}
