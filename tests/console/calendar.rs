//! « À venir » as a month: the rows of the list under their days.

use super::{Desk, EVIL};
use crate::support::house::BOTH;
use scraper::{Html, Selector};

#[test]
fn the_month_has_what_the_list_has_and_what_left() {
    for on in BOTH {
        let desk = Desk::busy(on);
        let page = desk.get("/a-venir?mois=2027-07&semaines=4").expect(200, &["juillet 2027", "Mois suivant"]);
        let html = Html::parse_document(&page.text());
        let all = |selector: &str| html.select(&Selector::parse(selector).unwrap()).collect::<Vec<_>>();
        assert_eq!(all(".month table > caption").len(), 1);
        assert_eq!(all(".month thead th[scope=col]").len(), 7);
        // July 2027 begins on a Thursday: five weeks.
        assert_eq!((all(".month tbody tr").len(), all(".month .day").len()), (5, 31));
        assert_eq!(all(".month [aria-current=date]").len(), 1);
        // What left on the tenth, and what the list says of the next weeks.
        let links: Vec<_> = all(".month td a").iter().map(|it| it.value().attr("href").unwrap().to_owned()).collect();
        assert!(links.contains(&"/envois/agenda/2027-W28".to_owned()), "{links:?}");
        let list: Vec<_> =
            all("main > table time").iter().map(|it| it.value().attr("datetime").unwrap().to_owned()).collect();
        let month: Vec<_> =
            all(".month time").iter().map(|it| it.value().attr("datetime").unwrap().to_owned()).collect();
        let of_july: Vec<_> = list.iter().filter(|at| at.starts_with("2027-07")).collect();
        assert!(of_july.len() > 3, "{list:?}");
        for at in of_july {
            assert!(month.contains(at), "{at} is not in {month:?}");
        }
        assert!(month.iter().all(|at| at.starts_with("2027-07")), "{month:?}");
        assert!(!page.text().contains("<script>alert"), "{EVIL}");

        let next = desk.get("/a-venir?semaines=4&mois=2027-08").expect(200, &["août 2027", "Mois précédent"]);
        assert!(next.text().contains("mois=2027-09#mois") && next.text().contains("mois=2027-07#mois"));
        // The list is the same, whatever month is shown beside it.
        let rows =
            |text: &str| Html::parse_document(text).select(&Selector::parse("main > table tbody tr").unwrap()).count();
        assert_eq!(rows(&next.text()), rows(&page.text()));
        // Before and after a year there is nothing to look at, and nonsense is this month.
        let first = desk.get("/a-venir?mois=2026-07").expect(200, &["juillet 2026"]);
        assert!(!first.words().contains("Mois précédent"));
        desk.get("/a-venir?mois=2019-01").expect(200, &["juillet 2027"]);
        desk.get("/a-venir?mois=%3Cb%3E").expect(200, &["juillet 2027"]);
    }
}
