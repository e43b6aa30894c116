//! Imposition: two pages of a booklet on each side of a sheet, to be printed on both sides and folded.
//!
//! Pages are moved without changes: text, links and reading order stay the same.

use super::{
    sheet::{Bookmark, Laid, Page, Printing},
    theme::{A4, Paper},
};

/// The pages two by two on A4 landscape, in the order in which a folded stack of sheets shows them.
pub fn impose(booklet: Laid) -> Laid {
    let landscape = Paper { width: A4.height, height: A4.width };
    let half = landscape.width / 2.0;
    let sides = fold_order(booklet.pages.len());
    let mut pages = Vec::with_capacity(sides.len());
    for side in &sides {
        let mut marks = Vec::new();
        for (n, page) in side.iter().enumerate() {
            let Some(page) = page.map(|page| &booklet.pages[page]) else { continue };
            let dx = n as f32 * half + (half - page.paper.width) / 2.0;
            let dy = (landscape.height - page.paper.height) / 2.0;
            marks.extend(page.marks.iter().map(|mark| mark.moved(dx, dy)));
        }
        pages.push(Page { paper: landscape, marks });
    }
    let side_of = |page: usize| sides.iter().position(|side| side.contains(&Some(page))).unwrap_or_default();
    let bookmarks = booklet.bookmarks.into_iter().map(|bookmark| Bookmark { page: side_of(bookmark.page), ..bookmark });
    Laid { pages, outline: booklet.outline, bookmarks: bookmarks.collect(), printing: Printing::Folded }
}

/// Which page is left and which right on each side of each sheet, front then back; counted from 0. Blanks, if the
/// count is no multiple of four, come before the back cover.
fn fold_order(count: usize) -> Vec<[Option<usize>; 2]> {
    let padded = count.next_multiple_of(4);
    let page = |number: usize| match number {
        last if last == padded => count.checked_sub(1),
        number if number < count => Some(number - 1),
        _ => None,
    };
    (0..padded / 4)
        .flat_map(|sheet| {
            let (front, back) = (padded - 2 * sheet, 2 * sheet + 1);
            [[page(front), page(back)], [page(back + 1), page(front - 1)]]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(count: usize) -> Vec<[usize; 2]> {
        fold_order(count).into_iter().map(|side| side.map(|page| page.map_or(0, |page| page + 1))).collect()
    }

    #[test]
    fn folded_sheets_show_the_pages_in_order() {
        assert_eq!(order(4), [[4, 1], [2, 3]]);
        assert_eq!(order(8), [[8, 1], [2, 7], [6, 3], [4, 5]]);
        assert_eq!(order(12), [[12, 1], [2, 11], [10, 3], [4, 9], [8, 5], [6, 7]]);
    }

    #[test]
    fn blanks_come_before_the_back_cover() {
        assert_eq!(order(6), [[6, 1], [2, 0], [0, 3], [4, 5]]);
        assert_eq!(order(1), [[1, 0], [0, 0]]);
        assert_eq!(order(0), Vec::<[usize; 2]>::new());
    }

    #[test]
    fn every_page_is_printed_once() {
        for count in 2..60 {
            let mut pages: Vec<usize> = order(count).into_iter().flatten().filter(|&page| page > 0).collect();
            pages.sort_unstable();
            assert_eq!(pages, (1..=count).collect::<Vec<_>>());
        }
    }
}
