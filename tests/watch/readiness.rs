//! The verdict as `status` and `/readyz` show it.

use super::{get, refusing_passwords};
use crate::support::house::{BOTH, House, Relay, until};

/// Trial F5: a wrong relay password was visible nowhere outside the log.
#[test]
fn trial_f05_a_wrong_relay_password_is_in_status_and_in_readyz() {
    for on in BOTH {
        let (options, certificate) = refusing_passwords();
        let relay = Relay::with(options);
        let url = format!("smtp://facteur:wrong@localhost:{}?tls=required", relay.address.port());
        let house = House::on(on).set("relay", url).set("web.bind", "127.0.0.1:0");
        let trusted = house.write("localhost.pem", certificate);
        let house = house.env("SSL_CERT_FILE", trusted.to_str().unwrap());
        house.import(&["a@gite.example"]);
        house.run().expect(1).expect_said(&["535"]);

        let mut daemon = house.serve();
        let line = daemon.hear("pages are served on http://");
        let host = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
        daemon.hear("relay unavailable");
        // Whoever looks a moment later sees it.
        let status = || house.semainier(&["status", "--json"]).json();
        until("the trouble is seen", || status()["daemons"][0]["relay"]["trouble"].to_string().contains("535"));
        assert_eq!(status()["waiting"].as_array().unwrap().len(), 0, "a relay may be restarted");
        assert_eq!(get(host, "/readyz").0, 200);

        // Five minutes later it is a person's affair. The daemon may write its own instant in between.
        let later = || house.sql("UPDATE daemons SET relay_since = relay_since - 300000");
        until("it is not ready", || {
            later();
            let (status, _, body) = get(host, "/readyz");
            (status, body.as_str()) == (503, "not ready: relay\n")
        });
        assert_eq!(get(host, "/healthz").0, 200, "it lives");
        until("status says it", || {
            later();
            let done = house.semainier(&["status"]);
            done.code == Some(4)
                && done.stdout.contains("the relay has accepted no mail since")
                && done.stdout.contains("535")
        });
        daemon.stop();
    }
}

/// Trial F5: "1 notices to staff could not be sent yet" stood in `status`, and its exit code was 0.
#[test]
fn trial_f05_unsent_notices_to_staff_require_action() {
    for on in BOTH {
        let relay = Relay::start();
        let house = House::on(on).relay(&relay);
        house.import(&["a@gite.example"]);
        let daemon = house.serve();
        until("the daemon is seen", || house.semainier(&["status"]).code == Some(0));
        let insert = "INSERT INTO notices (id, issue, kind, text, created_at)
             VALUES ('held:agenda/2027-W28', 'agenda/2027-W28', 'held', 'rien', 1000)";
        // The daemon may send it before status looks.
        until("status says it", || {
            house.sql(&format!("DELETE FROM notices; {insert}"));
            let done = house.semainier(&["status"]);
            done.code == Some(4) && done.stdout.contains("1 notices to staff could not be sent, the oldest is of 1970")
        });
        daemon.stop();
        // Where nobody is to be told, nobody waits.
        let house = house.set("staff", serde_json::json!([]));
        let waiting = house.semainier(&["status", "--json"]).json()["waiting"].clone();
        assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["kind"]), (1, &"no_daemon".into()), "{waiting}");
    }
}

#[test]
fn a_nearly_full_disk_and_an_old_backup_require_action() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["a@gite.example"]);
    let daemon = house.serve();
    until("the daemon is seen", || house.semainier(&["status"]).code == Some(0));
    house.write("backup.last", "2020-01-01T00:00:00Z\n");
    house.semainier(&["status"]).expect(4).expect_said(&["the last backup is of 2020-01-01"]);
    std::fs::remove_file(house.path("backup.last")).unwrap();
    let house = house.set("alert.disk_free_percent", 100);
    house.semainier(&["status"]).expect(4).expect_said(&["is nearly full", "free space under"]);
    daemon.stop();
}

#[test]
fn a_backup_is_recorded_for_the_readiness_check() {
    let relay = Relay::start();
    let house = House::new().relay(&relay);
    house.import(&["a@gite.example"]);
    let daemon = house.serve();
    until("the daemon is seen", || house.semainier(&["status"]).code == Some(0));
    house.write("backup.last", "2020-01-01T00:00:00Z\n");
    house.semainier(&["status"]).expect(4);
    house.semainier(&["backup", "kept"]).expect(0);
    house.semainier(&["status"]).expect(0);
    daemon.stop();
}
