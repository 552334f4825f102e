//! Which numbers of a span are accounted for. Pure.

/// The spans within `first..=last` that neither `singles` nor `ranges` account for.
pub fn holes(first: u64, last: u64, singles: &[u64], ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut covered: Vec<(u64, u64)> = singles.iter().map(|seq| (*seq, *seq)).chain(ranges.iter().copied()).collect();
    covered.sort_unstable();
    let (mut holes, mut next) = (Vec::new(), first);
    for (from, to) in covered {
        if from > last {
            break;
        }
        if from > next {
            holes.push((next, from - 1));
        }
        next = next.max(to.saturating_add(1));
    }
    if next <= last {
        holes.push((next, last));
    }
    holes
}

/// How many numbers the spans have.
pub fn count(spans: &[(u64, u64)]) -> u64 {
    spans.iter().map(|(first, last)| last.saturating_sub(*first).saturating_add(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_found_at_the_edges_and_between() {
        assert_eq!(holes(1, 10, &[2, 3, 5, 9], &[]), [(1, 1), (4, 4), (6, 8), (10, 10)]);
        assert_eq!(holes(1, 10, &[1, 10], &[(2, 9)]), []);
        assert_eq!(holes(5, 6, &[], &[(1, 100)]), []);
        assert_eq!(holes(5, 6, &[1, 7], &[]), [(5, 6)]);
        assert_eq!(holes(1, 0, &[], &[]), []);
        assert_eq!(count(&[(1, 1), (4, 6)]), 4);
    }

    proptest::proptest! {
        #[test]
        fn like_counting_one_by_one(singles in proptest::collection::vec(1_u64..40, 0..30), ranges in proptest::collection::vec((1_u64..40, 0_u64..8), 0..4), last in 0_u64..40) {
            let ranges: Vec<(u64, u64)> = ranges.into_iter().map(|(from, more)| (from, from + more)).collect();
            let missing: Vec<u64> = (1..=last).filter(|seq| !singles.contains(seq) && !ranges.iter().any(|(a, b)| (a..=b).contains(&seq))).collect();
            let found: Vec<u64> = holes(1, last, &singles, &ranges).into_iter().flat_map(|(a, b)| a..=b).collect();
            proptest::prop_assert_eq!(found, missing);
        }
    }
}
