//! Block containers, each of which may be a card: a container repeated with one heading in each. What stands in it, a badge above
//! the heading as well, is of that heading.

use super::html::Line;

/// Elements that may hold a card.
pub(super) fn may_hold_a_card(name: &str) -> bool {
    matches!(name, "div" | "li" | "section" | "article")
}

/// Gives each line the number of its card: of the outermost container around it that holds one heading of the cards' level, and no
/// heading above that level. The level is the one with the most cards. `around`: of each container the one around it.
pub(super) fn number(lines: &mut [Line], around: &[usize]) {
    const LEAST: usize = 3;
    let best = (2..=6).rev().map(|level| framed(lines, around, level)).max_by_key(|(cards, _)| *cards);
    let Some((_, frames)) = best.filter(|(cards, _)| *cards >= LEAST) else { return };
    for line in lines {
        line.frame = frames.get(line.within).copied().unwrap_or(0);
    }
}

/// How many cards have headings of that level, and the card around each container.
fn framed(lines: &[Line], around: &[usize], level: u8) -> (usize, Vec<usize>) {
    let mut own = vec![0usize; around.len() + 1];
    let mut above = vec![0usize; around.len() + 1];
    for line in lines.iter().filter(|line| line.shape.heading > 0 && line.shape.heading <= level) {
        let counted = if line.shape.heading == level { &mut own } else { &mut above };
        if let Some(count) = counted.get_mut(line.within) {
            *count += 1;
        }
    }
    // What a container holds is counted before what is around it: that opened first.
    for (at, outer) in around.iter().enumerate().rev() {
        own[*outer] += own[at + 1];
        above[*outer] += above[at + 1];
    }
    let mut frames = vec![0; around.len() + 1];
    let mut cards = 0;
    for (at, outer) in around.iter().enumerate() {
        let number = at + 1;
        let begins = frames[*outer] == 0 && own[number] == 1 && above[number] == 0;
        cards += usize::from(begins);
        frames[number] = if begins { number } else { frames[*outer] };
    }
    (cards, frames)
}

#[cfg(test)]
mod tests {
    use super::super::html::Page;

    fn frames(html: &str) -> Vec<usize> {
        let mut page = Page::read(html);
        page.number_frames();
        page.lines().iter().map(|line| line.frame).collect()
    }

    #[test]
    fn the_outermost_container_of_one_heading_is_the_card_of_all_that_stands_in_it() {
        let card = "<div><p><b>Complet</b></p><section><h3>Bal</h3><p>jour</p></section></div>";
        let listed = frames(&format!("<h2>Agenda</h2><div>{card}{card}<p>pub</p>{card}</div><p>fin</p>"));
        assert_eq!(listed, [0, 2, 2, 2, 4, 4, 4, 0, 6, 6, 6, 0]);
    }

    #[test]
    fn two_containers_of_one_heading_are_no_cards() {
        assert_eq!(frames("<div><h3>Bal</h3><p>a</p></div><div><h3>Loto</h3><p>b</p></div>"), [0; 4]);
    }
}
