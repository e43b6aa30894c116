//! The state machine, exhaustively: one recipient, two daemons, a relay that accepts, defers, refuses or falls silent,
//! leases that run out under a daemon that lives on, two kills, three attempts, one resend by a person: every order of
//! events there is. The law holds in each; each weaker variant is shown to lose or to double.

use semainier::domain::delivery::{State, TRANSITIONS};
use std::collections::{BTreeSet, HashSet};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Variant {
    Law,
    /// The marker is written without asking for owner, attempt and lease.
    NoFence,
    /// A marker whose lease is over is queued again, as most job queues do.
    RequeueInData,
    /// No marker at all: claimed until the result is written.
    NoMarker,
    /// Recorded as sent when it is taken, as a moving cursor does.
    SentAtClaim,
}

/// What a daemon holds in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Daemon {
    Idle,
    Claimed { attempt: u8 },
    Marked { attempt: u8 },
    Answered { attempt: u8, answer: Answer },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Answer {
    Accepted,
    Refused,
    /// Deferred, or certainly not sent.
    Later,
    Silence,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World {
    state: State,
    owner: u8,
    attempt: u8,
    lease: bool,
    daemons: [Daemon; 2],
    accepted: u8,
    kills: u8,
    resends: u8,
}

const START: World = World {
    state: State::Queued,
    owner: 0,
    attempt: 0,
    lease: false,
    daemons: [Daemon::Idle; 2],
    accepted: 0,
    kills: 2,
    resends: 0,
};

impl World {
    fn row(self, state: State) -> Self {
        let lease = matches!(state, State::Claimed | State::InData);
        Self { state, lease, ..self }
    }

    fn daemon(mut self, d: u8, daemon: Daemon) -> Self {
        self.daemons[usize::from(d)] = daemon;
        self
    }

    /// Every world that can be next.
    fn next(self, variant: Variant) -> Vec<World> {
        let mut next = Vec::new();
        if self.lease {
            next.push(Self { lease: false, ..self });
        }
        match (self.state, self.lease) {
            (State::Claimed, false) => next.push(self.row(State::Queued)),
            (State::InData, false) if variant == Variant::RequeueInData => next.push(self.row(State::Queued)),
            (State::InData, false) => next.push(self.row(State::Unknown)),
            (State::Unknown, _) if self.resends == 0 => {
                next.push(Self { resends: 1, ..self.row(State::Queued) });
            }
            _ => {}
        }
        if matches!(self.state, State::Queued | State::Claimed) {
            next.extend([State::Expired, State::Cancelled].map(|end| self.row(end)));
        }
        if self.state == State::Queued {
            next.push(self.row(State::Suppressed));
        }
        for d in [0, 1] {
            self.steps_of(d, variant, &mut next);
            if self.kills > 0 && self.daemons[usize::from(d)] != Daemon::Idle {
                next.push(Self { kills: self.kills - 1, ..self.daemon(d, Daemon::Idle) });
            }
        }
        next
    }

    fn steps_of(self, d: u8, variant: Variant, next: &mut Vec<World>) {
        let idle = self.daemon(d, Daemon::Idle);
        match self.daemons[usize::from(d)] {
            Daemon::Idle => {
                if self.state == State::Queued && self.attempt < 3 {
                    let attempt = self.attempt + 1;
                    let to = if variant == Variant::SentAtClaim { State::Sent } else { State::Claimed };
                    let claimed = Self { owner: d, attempt, ..self.row(to) };
                    next.push(claimed.daemon(d, Daemon::Claimed { attempt }));
                }
            }
            Daemon::Claimed { attempt } => {
                let mine = self.state == State::Claimed && self.owner == d && self.attempt == attempt;
                let marked = Daemon::Marked { attempt };
                match variant {
                    Variant::NoMarker | Variant::SentAtClaim => next.push(self.daemon(d, marked)),
                    Variant::NoFence if matches!(self.state, State::Claimed | State::InData) => {
                        next.push(self.row(State::InData).daemon(d, marked));
                    }
                    _ if mine && self.lease => {
                        next.push(self.row(State::InData).daemon(d, marked));
                        next.push(idle.row(State::Suppressed));
                    }
                    // RSET: nothing was sent.
                    _ => next.push(idle),
                }
                // Refused or deferred before the marker, or released.
                next.push(idle);
                if mine {
                    next.extend([State::Failed, State::Queued].map(|to| idle.row(to)));
                }
            }
            Daemon::Marked { attempt } => {
                let answered = |answer| Daemon::Answered { attempt, answer };
                for answer in [Answer::Refused, Answer::Later, Answer::Silence] {
                    next.push(self.daemon(d, answered(answer)));
                }
                let taken = Self { accepted: self.accepted + 1, ..self };
                for answer in [Answer::Accepted, Answer::Silence] {
                    next.push(taken.daemon(d, answered(answer)));
                }
            }
            Daemon::Answered { attempt, answer } => {
                let held = match variant {
                    Variant::NoMarker => self.state == State::Claimed,
                    Variant::SentAtClaim => false,
                    _ => matches!(self.state, State::InData | State::Unknown),
                };
                let fits = held && (self.attempt == attempt || variant == Variant::NoFence);
                let to = match answer {
                    Answer::Accepted => State::Sent,
                    Answer::Refused => State::Failed,
                    Answer::Later => State::Queued,
                    Answer::Silence if matches!(variant, Variant::NoMarker | Variant::RequeueInData) => State::Queued,
                    Answer::Silence => State::Unknown,
                };
                next.push(if fits { idle.row(to) } else { idle });
            }
        }
    }

    /// What must never be true of any world (O2, O3).
    fn violation(self) -> Option<&'static str> {
        let kept = self.daemons.iter().any(|d| *d != Daemon::Idle);
        match self.state {
            _ if self.accepted > 1 + self.resends => Some("sent twice"),
            State::Sent if self.accepted == 0 && !kept => Some("lost: sent, never accepted"),
            // After a resend the first conversation may have been the one that arrived: the attempts say so.
            State::Failed | State::Expired | State::Cancelled | State::Suppressed
                if self.accepted > 0 && self.resends == 0 && !kept =>
            {
                Some("ended, yet accepted")
            }
            _ => None,
        }
    }
}

struct Explored {
    worlds: HashSet<World>,
    moves: BTreeSet<(&'static str, &'static str)>,
    violations: BTreeSet<&'static str>,
}

fn explore(variant: Variant) -> Explored {
    let mut explored = Explored { worlds: HashSet::new(), moves: BTreeSet::new(), violations: BTreeSet::new() };
    let mut open = vec![START];
    while let Some(world) = open.pop() {
        if !explored.worlds.insert(world) {
            continue;
        }
        explored.violations.extend(world.violation());
        for next in world.next(variant) {
            if next.state != world.state {
                explored.moves.insert((world.state.as_str(), next.state.as_str()));
            }
            open.push(next);
        }
    }
    explored
}

#[test]
fn the_protocol_never_loses_and_never_duplicates() {
    let explored = explore(Variant::Law);
    assert_eq!(explored.violations, BTreeSet::new());
    assert!(explored.worlds.len() > 1_000, "{} worlds: the model is too small to mean much", explored.worlds.len());
}

#[test]
fn the_protocol_uses_exactly_the_transitions_of_the_table() {
    let table: BTreeSet<_> = TRANSITIONS.iter().map(|(_, from, to)| (from.as_str(), to.as_str())).collect();
    let moves = explore(Variant::Law).moves;
    assert_eq!(moves.difference(&table).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "not in the table");
    assert_eq!(table.difference(&moves).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "in the table only");
}

/// Nobody is forgotten: from every world there is a way to an end, or to a person who decides.
#[test]
fn every_state_leads_to_a_final_state() {
    for world in explore(Variant::Law).worlds {
        let stuck = world.next(Variant::Law).is_empty();
        let ended = world.state.is_terminal() || world.state == State::Unknown;
        assert!(!stuck || ended, "{world:?}");
    }
}

#[test]
fn final_states_never_change() {
    for world in explore(Variant::Law).worlds.into_iter().filter(|world| world.state.is_terminal()) {
        for next in world.next(Variant::Law) {
            assert_eq!(next.state, world.state, "{world:?}");
        }
    }
}

#[test]
fn each_weaker_variant_loses_or_duplicates() {
    for (variant, violation) in [
        (Variant::NoFence, "sent twice"),
        (Variant::RequeueInData, "sent twice"),
        (Variant::NoMarker, "sent twice"),
        (Variant::SentAtClaim, "lost: sent, never accepted"),
    ] {
        assert!(explore(variant).violations.contains(violation), "{variant:?}: the model does not see it");
    }
}
