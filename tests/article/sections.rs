//! Headings of themes around days, and what a line says beside its event: each in its shortest form.

use super::kinds::told;

#[test]
fn lines_below_a_theme_say_their_own_days_before_and_behind_those_of_a_heading() {
    let html = "<h1>Du 12 au 18 juillet 2027</h1><p>Il y en a pour tous.</p><h3>Billard</h3>\
                <p>Jeudi, 20 h : tournoi des débutants à Pavie.</p><h3>Tir à l’arc</h3>\
                <p>Samedi 17. Concours du club : départ 9 h, à Jégun.</p><h3>Échecs</h3><p>Mardi, loto à 18 h, à Pavie.</p>";
    let told = told(html);
    let days: Vec<&str> = told.iter().map(|event| &event[..11]).collect();
    assert_eq!(days, ["07-13 18:00", "07-15 20:00", "07-17 09:00"], "{told:?}");
}

#[test]
fn a_heading_of_notes_is_no_event_and_ends_the_day() {
    let html = "<p><b>Samedi 17 juillet</b></p><p>21 h : bal à Pavie</p><h3>À noter</h3><p>Le concert de jeudi 15 à 20 h à Jégun est annulé.</p>";
    let told = told(html);
    assert!(
        told.len() == 2 && told[0].starts_with("07-15 20:00") && told[1].starts_with("07-17 21:00 bal"),
        "{told:?}"
    );
}
