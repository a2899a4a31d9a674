//! When it is quiet: activity by weekday and hour, and the stretches of the week that have least of it.

use jiff::civil::{DateTime, Weekday};

/// Hours of a week.
const HOURS: usize = 168;

/// Activity by hour of the week, from Monday 00:00, in one zone's local time.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    hours: Vec<f64>,
}

/// A stretch of every week with little activity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quiet {
    /// The day on which it starts.
    pub day: Weekday,
    /// The hour at which it starts.
    pub hour: u8,
    /// How many hours it has.
    pub hours: u8,
    /// Its part of the whole week's activity, 0 to 1.
    pub share: f64,
}

impl Default for Activity {
    fn default() -> Self {
        Self { hours: vec![0.0; HOURS] }
    }
}

impl Activity {
    /// From a tenant's figures, 24 of a day or 168 of a week.
    #[must_use]
    pub fn of_usage(usage: &[f64]) -> Option<Self> {
        match usage.len() {
            24 => Some(Self { hours: usage.iter().copied().cycle().take(HOURS).collect() }),
            HOURS => Some(Self { hours: usage.to_vec() }),
            _ => None,
        }
    }

    /// Counts something that happened.
    pub fn add(&mut self, local: DateTime, count: f64) {
        if let Some(hour) = self.hours.get_mut(hour_of_week(local)) {
            *hour += count;
        }
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> f64 {
        self.hours.iter().sum()
    }

    /// The part of the week's activity in one hour, 0 to 1.
    #[must_use]
    pub fn share(&self, local: DateTime) -> f64 {
        let whole = self.whole();
        if whole > 0.0 { self.hours.get(hour_of_week(local)).copied().unwrap_or(0.0) / whole } else { 0.0 }
    }

    /// Each hour of the week.
    #[must_use]
    pub fn hours(&self) -> &[f64] {
        &self.hours
    }

    /// How uneven the hours are: standard deviation over mean; `None` without any activity.
    #[must_use]
    pub fn variation(&self) -> Option<f64> {
        // 168 is exact in a double.
        let count = 168.0;
        let mean = self.whole() / count;
        let spread: f64 = self.hours.iter().map(|hour| (hour - mean).powi(2)).sum::<f64>() / count;
        (mean > 0.0).then(|| spread.sqrt() / mean)
    }

    /// The quietest stretches of that many hours, at most `most`, none touching another, quietest first.
    #[must_use]
    pub fn quietest(&self, length: u8, most: usize) -> Vec<Quiet> {
        let length = usize::from(length.clamp(1, 72));
        let whole = self.whole();
        if whole <= 0.0 {
            return Vec::new();
        }
        let sum = |start: usize| -> f64 { self.hours.iter().cycle().skip(start).take(length).sum() };
        let mut starts: Vec<(f64, usize)> = (0..HOURS).map(|start| (sum(start), start)).collect();
        starts.sort_by(|(one, at), (other, other_at)| one.total_cmp(other).then(at.cmp(other_at)));
        let mut found: Vec<(f64, usize)> = Vec::new();
        for (sum, start) in starts {
            let apart = |taken: usize| {
                let distance = start.abs_diff(taken);
                distance.min(HOURS - distance) > length
            };
            if found.len() < most && found.iter().all(|(_, taken)| apart(*taken)) {
                found.push((sum, start));
            }
        }
        let quiet = |(sum, start): (f64, usize)| {
            let day = i8::try_from(start / 24).ok()?;
            Some(Quiet {
                day: Weekday::from_monday_zero_offset(day).ok()?,
                hour: u8::try_from(start % 24).ok()?,
                hours: u8::try_from(length).ok()?,
                share: sum / whole,
            })
        };
        found.into_iter().filter_map(quiet).collect()
    }
}

fn hour_of_week(local: DateTime) -> usize {
    let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
    day * 24 + usize::try_from(local.hour()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_quietest_hours_are_found_and_lie_apart() {
        let mut seen = Activity::default();
        // 2024-01-01 is a Monday.
        for day in 1..=7 {
            for hour in 0..24 {
                let busy = if (8..20).contains(&hour) { 100.0 } else { 10.0 };
                let sunday_night = day == 7 && (1..5).contains(&hour);
                seen.add(date(2024, 1, day).at(hour, 30, 0, 0), if sunday_night { 1.0 } else { busy });
            }
        }
        let quiet = seen.quietest(4, 3);
        assert_eq!((quiet[0].day, quiet[0].hour, quiet[0].hours), (Weekday::Sunday, 1, 4));
        assert!(quiet[0].share < quiet[1].share && quiet.len() == 3);
        assert!(Activity::default().quietest(4, 3).is_empty());
    }

    #[test]
    fn a_day_of_figures_stands_for_every_day() {
        let mut usage = [0.0; 24];
        usage[9] = 7.0;
        let seen = Activity::of_usage(&usage).unwrap();
        assert!((seen.share(date(2024, 1, 3).at(9, 0, 0, 0)) - 1.0 / 7.0).abs() < 1e-9);
        assert!(Activity::of_usage(&[1.0; 3]).is_none());
        assert!(Activity::of_usage(&[5.0; 168]).unwrap().variation().unwrap() < 1e-9);
    }
}
