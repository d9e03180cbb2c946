//! Series by slot: the number that a series has in this process, and that postings and batches know it by.

use super::series::Series;

/// Series of a page: those of a push follow each other in memory. A page goes when the last series in it does.
const PAGE: usize = 64;

/// All series. Slots ascend in the order in which series were created and are not given again once a series was visible,
/// so postings stay sorted by appending. Whoever keeps a slot for long compares the reference: a slot that was rolled back
/// is given again.
#[derive(Default)]
pub struct Slots {
    pages: Vec<Option<Box<Page>>>,
    /// The slot of the next series.
    end: usize,
}

struct Page {
    series: [Option<Series>; PAGE],
    live: usize,
}

impl Slots {
    /// The slot that the next series gets.
    pub fn len(&self) -> usize {
        self.end
    }

    /// True when no other series can be numbered.
    pub fn is_full(&self) -> bool {
        self.end >= u32::MAX as usize
    }

    /// The series at `slot`.
    pub fn get(&self, slot: usize) -> Option<&Series> {
        let page = self.pages.get(slot / PAGE)?.as_ref()?;
        page.series.get(slot % PAGE)?.as_ref()
    }

    /// The series at `slot`, to be changed.
    pub fn get_mut(&mut self, slot: usize) -> Option<&mut Series> {
        let page = self.pages.get_mut(slot / PAGE)?.as_mut()?;
        page.series.get_mut(slot % PAGE)?.as_mut()
    }

    /// Give the next slot to `series`.
    pub fn push(&mut self, series: Series) {
        let slot = self.end;
        self.end += 1;
        if slot / PAGE >= self.pages.len() {
            self.pages.push(None);
        }
        let Some(page) = self.pages.get_mut(slot / PAGE) else {
            return;
        };
        let page = page.get_or_insert_with(|| {
            Box::new(Page {
                series: [const { None }; PAGE],
                live: 0,
            })
        });
        if let Some(place) = page.series.get_mut(slot % PAGE) {
            *place = Some(series);
            page.live += 1;
        }
    }

    /// Take the newest series away; its slot will be given again.
    pub fn pop(&mut self) -> Option<Series> {
        let series = self.remove(self.end.checked_sub(1)?);
        self.end -= 1;
        self.pages.truncate(self.end.div_ceil(PAGE));
        series
    }

    /// Take a series away. Its slot stays empty.
    pub fn remove(&mut self, slot: usize) -> Option<Series> {
        let place = self.pages.get_mut(slot / PAGE)?;
        let page = place.as_mut()?;
        let series = page.series.get_mut(slot % PAGE)?.take()?;
        page.live -= 1;
        if page.live == 0 {
            *place = None;
        }
        Some(series)
    }

    /// (slot, series) of all series from slot `first` on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = (u32, &Series)> {
        let pages = self.pages.iter().enumerate().skip(first / PAGE);
        pages.flat_map(move |(number, page)| {
            let start = number * PAGE;
            let rest = page
                .as_ref()
                .and_then(|page| page.series.get(first.saturating_sub(start)..));
            let series = (start.max(first)..).zip(rest.unwrap_or_default());
            series.filter_map(|(slot, series)| Some((slot as u32, series.as_ref()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Labels;
    use crate::wal::SeriesRef;

    fn slots(count: u64) -> Slots {
        let mut slots = Slots::default();
        (0..count).for_each(|n| slots.push(Series::new(SeriesRef(n), Labels::default())));
        slots
    }

    fn living(slots: &Slots, first: usize) -> Vec<u32> {
        slots.from(first).map(|(slot, _)| slot).collect()
    }

    #[test]
    fn a_slot_is_empty_once_its_series_is_gone() {
        let mut slots = slots(600);
        for slot in (0..600).filter(|slot| slot % 100 != 7) {
            assert!(slots.remove(slot).is_some());
            assert!(slots.remove(slot).is_none());
        }
        assert_eq!(living(&slots, 0), [7, 107, 207, 307, 407, 507]);
        assert_eq!(living(&slots, 208), [307, 407, 507]);
        assert!(slots.get(8).is_none() && slots.get_mut(8).is_none());
        assert_eq!(slots.get(207).map(Series::reference), Some(SeriesRef(207)));
        assert_eq!(
            slots.len(),
            600,
            "the slots of series that were there are not given again"
        );
    }

    #[test]
    fn pages_without_series_are_given_back() {
        let mut slots = slots(10 * PAGE as u64);
        (PAGE..9 * PAGE).for_each(|slot| drop(slots.remove(slot)));
        assert_eq!(slots.pages.iter().flatten().count(), 2);
    }

    #[test]
    fn a_popped_slot_is_given_again() {
        let mut slots = slots(PAGE as u64 + 1);
        slots.remove(PAGE - 1);
        assert!(slots.pop().is_some());
        assert!(slots.pop().is_none(), "it was removed before");
        slots.push(Series::new(SeriesRef(9999), Labels::default()));
        assert_eq!(slots.get(PAGE - 1).map(Series::reference), Some(SeriesRef(9999)));
        assert_eq!(slots.len(), PAGE);
    }
}
