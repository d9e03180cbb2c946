//! What is left out, and what is not.

use super::*;

const A: SinkSeries = 1;

/// Times that are sent of rows of a piece, in order.
fn sent(unchanged: &mut Unchanged, told: &mut Told, rows: &[(i64, f64)]) -> Vec<i64> {
    let looked = rows
        .iter()
        .map(|(t, v)| (*t, unchanged.look(told, A, *t, shown(*v, None), |_| None)));
    looked
        .filter(|(_, look)| *look != Look::Repeats)
        .map(|(t, _)| t)
        .collect()
}

/// The same of rows that are a piece.
fn piece(unchanged: &mut Unchanged, rows: &[(i64, f64)]) -> (Told, Vec<i64>) {
    let mut told = unchanged.begin();
    let times = sent(unchanged, &mut told, rows);
    (told, times)
}

#[test]
fn a_constant_series_costs_a_point_a_heartbeat() {
    let rows: Vec<_> = (0..100).map(|n| (n * 10, 7.0)).collect();
    assert_eq!(piece(&mut Unchanged::new(100, 0), &rows).1.len(), 10);
}

#[test]
fn every_change_is_sent_and_what_comes_behind_no_number_too() {
    let rows = [
        (1, 1.0),
        (2, 1.0),
        (3, 2.0),
        (4, 1.0),
        (5, f64::NAN),
        (6, f64::NAN),
        (7, 1.0),
        (8, -0.0),
        (9, 0.0),
        (10, 0.0),
    ];
    assert_eq!(piece(&mut Unchanged::new(100, 0), &rows).1, [1, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn what_is_on_its_way_is_nothing_to_rely_on() {
    let mut unchanged = Unchanged::new(100, 0);
    let (first, times) = piece(&mut unchanged, &[(1, 1.0), (2, 1.0)]);
    assert_eq!(times, [1]);
    let (second, times) = piece(&mut unchanged, &[(3, 1.0), (4, 1.0)]);
    assert_eq!(times, [3]);
    unchanged.taken(&first);
    assert_eq!(piece(&mut unchanged, &[(5, 1.0), (6, 2.0)]).1, [6]);
    unchanged.taken(&second);
    assert_eq!(
        piece(&mut unchanged, &[(7, 2.0), (8, 1.0)]).1,
        [7, 8],
        "what is taken is of a run that is over"
    );
}

#[test]
fn what_is_taken_after_all_is_forgotten_says_nothing() {
    let mut unchanged = Unchanged::new(100, 0);
    let (first, _) = piece(&mut unchanged, &[(1, 1.0)]);
    unchanged.forget_all();
    let (second, times) = piece(&mut unchanged, &[(1, 1.0)]);
    assert_eq!(times, [1]);
    unchanged.taken(&first);
    assert_eq!(piece(&mut unchanged, &[(2, 1.0)]).1, [2]);
    unchanged.taken(&second);
    assert_eq!(piece(&mut unchanged, &[(3, 1.0)]).1, [0; 0]);
}

#[test]
fn what_stands_behind_a_late_sample_is_told_again() {
    let mut unchanged = Unchanged::new(100, 0);
    let (first, times) = piece(&mut unchanged, &[(10, 1.0), (12, 1.0)]);
    assert_eq!(times, [10]);
    unchanged.taken(&first);
    let mut late = unchanged.begin();
    assert_eq!(unchanged.look(&mut late, A, 11, shown(2.0, None), |_| None), Look::Late);
    unchanged.told_again(&mut late, A, 11, Some((12, shown(1.0, None))));
    let times = sent(&mut unchanged, &mut late, &[(13, 1.0)]);
    assert_eq!(times, [0; 0], "of the same piece");
    assert_eq!(piece(&mut unchanged, &[(14, 1.0), (15, 1.0)]).1, [14]);
    unchanged.taken(&late);
    let mut last = unchanged.begin();
    assert_eq!(sent(&mut unchanged, &mut last, &[(16, 1.0)]), [0; 0]);
    assert_eq!(unchanged.look(&mut last, A, 15, shown(2.0, None), |_| None), Look::Late);
    unchanged.told_again(&mut last, A, 15, None);
    assert_eq!(
        sent(&mut unchanged, &mut last, &[(17, 1.0)]),
        [17],
        "nobody knows what the sink shows"
    );
}

#[test]
fn the_first_sample_is_late_when_the_store_has_later_ones_that_may_have_been_left_out() {
    let mut unchanged = Unchanged::new(100, 30);
    let mut told = unchanged.begin();
    let mut look = |t, newest| {
        unchanged.look(&mut told, A, t, shown(1.0, None), |reached| {
            assert_eq!(reached, 30);
            newest
        })
    };
    assert_eq!(look(10, Some(20)), Look::Late);
    assert_eq!(look(15, Some(25)), Look::Late, "it is asked for the first one only");
    assert_eq!(look(20, None), Look::Sent);
    assert_eq!(look(21, None), Look::Repeats);
}

#[test]
fn what_was_under_way_before_a_late_sample_says_nothing_behind_it() {
    let mut unchanged = Unchanged::new(100, 0);
    let (first, times) = piece(&mut unchanged, &[(10, 1.0), (12, 1.0)]);
    assert_eq!(times, [10]);
    let mut late = unchanged.begin();
    assert_eq!(unchanged.look(&mut late, A, 11, shown(2.0, None), |_| None), Look::Late);
    unchanged.told_again(&mut late, A, 11, Some((12, shown(1.0, None))));
    unchanged.taken(&first);
    assert_eq!(
        piece(&mut unchanged, &[(14, 1.0)]).1,
        [14],
        "the late one may not be all taken"
    );
}

#[test]
fn what_was_looked_at_is_remembered_to_have_been_there() {
    let mut unchanged = Unchanged::new(100, 0);
    piece(&mut unchanged, &[(20, 1.0)]);
    unchanged.forget_all();
    let mut told = unchanged.begin();
    let look = unchanged.look(&mut told, A, 10, shown(1.0, None), Some);
    assert_eq!((look, unchanged.reached()), (Look::Late, 20));
}

#[test]
fn a_late_change_before_the_next_one_to_be_looked_at_ends_the_run() {
    let mut unchanged = Unchanged::new(100, 0);
    let (first, _) = piece(&mut unchanged, &[(10, 1.0), (20, 1.0)]);
    unchanged.taken(&first);
    let mut late = unchanged.begin();
    assert_eq!(unchanged.look(&mut late, A, 11, shown(1.0, None), |_| None), Look::Late);
    unchanged.told_again(&mut late, A, 11, Some((12, shown(2.0, None))));
    assert_eq!(sent(&mut unchanged, &mut late, &[(21, 1.0)]), [21]);
}

#[test]
fn the_times_behind_late_samples_are_each_there_once() {
    let (a, b) = (SeriesRef(1), SeriesRef(2));
    let told = Told {
        heartbeat: 10,
        late: vec![(a, 30), (b, 5), (a, 5), (a, 14), (a, 40), (a, i64::MAX - 1)],
        ..Told::default()
    };
    let wanted = [
        (a, 5, 24),
        (a, 30, 40),
        (a, 40, 50),
        (a, i64::MAX - 1, i64::MAX),
        (b, 5, 15),
    ];
    assert_eq!(told.behind_late(), wanted);
}

#[test]
fn another_kind_may_be_another_field() {
    let mut unchanged = Unchanged::new(100, 0);
    let mut told = unchanged.begin();
    let mut look = |t, kind| unchanged.look(&mut told, A, t, shown(1.0, kind), |_| None);
    assert_eq!(look(1, None), Look::Sent);
    assert_eq!(look(2, None), Look::Repeats);
    assert_eq!(look(3, Some(Kind::Counter)), Look::Sent);
    assert_eq!(look(4, Some(Kind::Counter)), Look::Repeats);
}

#[test]
fn floats_of_a_series_with_histograms_are_all_sent() {
    let mut unchanged = Unchanged::new(100, 0);
    unchanged.mix(A, 3);
    let times = piece(&mut unchanged, &[(4, 1.0), (5, 1.0), (4, 1.0)]).1;
    assert_eq!(times, [4, 5, 4]);
}

#[test]
fn silent_series_are_forgotten() {
    let mut unchanged = Unchanged::new(10, 0);
    for n in 0..100_000 {
        let mut told = unchanged.begin();
        unchanged.mix(n + 1_000_000, n as i64);
        assert_ne!(
            unchanged.look(&mut told, n, n as i64, shown(1.0, None), |_| None),
            Look::Repeats
        );
        unchanged.taken(&told);
    }
    assert!(unchanged.runs.len() <= ROOM && unchanged.mixed.len() <= 2 * ROOM);
}

#[test]
fn those_that_are_not_silent_are_remembered_however_many_they_are() {
    let mut unchanged = Unchanged::new(10, 0);
    for t in 0..2 {
        let mut told = unchanged.begin();
        let looked =
            (0..100_000).filter(|n| unchanged.look(&mut told, *n, t, shown(1.0, None), |_| None) == Look::Repeats);
        assert_eq!(looked.count(), if t == 0 { 0 } else { 100_000 });
        unchanged.taken(&told);
    }
}
