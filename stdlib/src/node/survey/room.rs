//! How much there is, and how much fits.

use crate::node::said::Said;

/// Bytes below the root.
pub(super) fn size(said: &Said<'_>) -> Option<i64> {
    let kib: i64 = said.lines("size").first()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Bytes that are free: `BLOCKS SIZE`.
pub(super) fn free(said: &Said<'_>) -> Option<i64> {
    let (blocks, size) = said.lines("free").first()?.split_once(' ')?;
    blocks.parse::<i64>().ok()?.checked_mul(size.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_not_known() {
        let said = Said::new("@size\n381\n@free\n10 4096\n");
        assert_eq!((size(&said), free(&said)), (Some(390_144), Some(40960)));
        let silent = Said::new("@size\n@free\n");
        assert_eq!((size(&silent), free(&silent)), (None, None));
    }
}
