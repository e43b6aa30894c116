//! For the console and for staff: no commands.

use super::Refusal;
use crate::domain::{
    edition::OrderState,
    french::{NBSP, date_and_hour, plural},
    issue::IssueKey,
    issue_name::IssueName,
};

impl Refusal {
    pub fn in_french(&self) -> String {
        let of = |key: &IssueKey| IssueName::new(key).of();
        match self {
            Self::Api(refusal) => refusal.in_french(),
            Self::Exception(refusal) => refusal.in_french(),
            Self::NoSuchMailing(_) => "cet envoi périodique n’existe pas".to_owned(),
            Self::NoName => "indiquez votre nom : il est gardé avec ce que vous faites".to_owned(),
            Self::NoSuchIssue(key) => format!("le numéro {} n’existe pas", of(key)),
            Self::NotComposedYet(key) => format!("le numéro {} n’est pas encore composé", of(key)),
            Self::NothingToApprove { issue, state, reason } => {
                let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                format!("le numéro {} est {}{reason}{NBSP}: il n’y a rien à approuver", of(issue), state.in_french())
            }
            Self::DeadlinePassed(key) => {
                format!("l’heure limite du numéro {} est passée{NBSP}: il ne partira plus", of(key))
            }
            Self::HasChanged { issue, .. } => {
                format!(
                    "le numéro {} a changé depuis que vous l’avez lu{NBSP}: relisez-le avant d’approuver",
                    of(issue)
                )
            }
            Self::ChangedMeanwhile(key) => format!("le numéro {} vient d’être modifié{NBSP}: relisez-le", of(key)),
            Self::Unchangeable { issue, state } => {
                format!("le numéro {} est {}{NBSP}: il ne peut plus être modifié", of(issue), state.in_french())
            }
            Self::WrongState { issue, state } => {
                format!("le numéro {} est {}{NBSP}: cette action n’est pas possible", of(issue), state.in_french())
            }
            Self::GivenUp { issue, .. } => {
                format!("le numéro {} est {}{NBSP}: plus rien n’en partira", of(&issue.key), issue.state().in_french())
            }
            Self::NotCollected { mailing } => {
                format!("les numéros de «{NBSP}{mailing}{NBSP}» ne sont pas lus sur un site{NBSP}: modifiez l’édition")
            }
            Self::NotANewsletter { mailing } => format!("«{NBSP}{mailing}{NBSP}» n’est pas une lettre"),
            Self::NoEditorialSection { mailing } => {
                format!("la lettre «{NBSP}{mailing}{NBSP}» n’a pas de place pour un éditorial")
            }
            Self::LeavesWithoutApproval { mailing } => {
                format!("«{NBSP}{mailing}{NBSP}» part sans être approuvée")
            }
            Self::NotRehearsed { mailing } => {
                format!(
                    "les numéros de «{NBSP}{mailing}{NBSP}» ne sont pas répétés{NBSP}: ils attendent un accord ou une annonce"
                )
            }
            Self::NotAnAgenda { mailing } => format!("«{NBSP}{mailing}{NBSP}» n’est pas un agenda"),
            Self::NothingRead(key) => {
                format!("rien n’a encore été lu pour le numéro {}{NBSP}: répétez-le d’abord", of(key))
            }
            Self::NoSuchLine(_) => "cette annonce n’est plus dans la dernière lecture de l’article".to_owned(),
            Self::CorrectedMeanwhile { by } => {
                format!("{by} vient de corriger cette annonce{NBSP}: rien n’a été changé")
            }
            Self::NoSuchCorrection(_) => "cette correction a déjà été retirée ou remplacée".to_owned(),
            Self::OutsideTheWeek => "ce jour n’est pas dans la semaine du numéro".to_owned(),
            Self::NotAWebAddress(text) => {
                format!("«{NBSP}{text}{NBSP}» n’est pas l’adresse d’une page (https://…)")
            }
            Self::DismissedAlready => "cette ligne est déjà écartée de tous les numéros".to_owned(),
            Self::NotDismissed(_) => "cette ligne n’est pas écartée".to_owned(),
            Self::NotStaff(_) => "un essai ne part que vers l’équipe de l’office".to_owned(),
            Self::TestedTooOften { most } => {
                format!("vous avez demandé {most} essais aujourd’hui{NBSP}: le prochain sera possible demain")
            }
            Self::NotOfAList(key) => {
                format!(
                    "{} est un message à une seule personne{NBSP}: cette action n’est pas possible",
                    IssueName::new(key)
                )
            }
            Self::NoRelay => format!("aucun relais n’est configuré{NBSP}: rien ne peut partir"),
            Self::Skipped { issue, by } => format!("{by} ne veut pas que le numéro {} parte", of(issue)),
            Self::NotSkipped(key) => format!("rien n’empêche le numéro {} de partir", of(key)),
            Self::ApprovedAlready { issue, by } => {
                format!("cette version du numéro {} est déjà approuvée par {by}", of(issue))
            }
            Self::HourHasCome(key) => format!("l’heure du numéro {} est passée", of(key)),
            Self::NoOccurrence { issue } => format!("aucun envoi prévu ne correspond plus au numéro {}", of(issue)),
            Self::NoSuchDelivery(_) => "cet envoi n’existe pas".to_owned(),
            Self::NotUnknown { .. } => "cet envoi n’attend pas de décision".to_owned(),
            Self::LaneIsOpen(name) => format!("les envois vers «{NBSP}{name}{NBSP}» ne sont pas suspendus"),
            Self::NoEditionMailing(_) => "aucun envoi n’est configuré pour les éditions".to_owned(),
            Self::NoSuchEdition { slug, .. } => format!("l’édition «{NBSP}{slug}{NBSP}» n’existe pas"),
            Self::HourIsOver => "cette heure est passée".to_owned(),
            Self::AnnouncedBefore { slug, .. } => {
                format!("«{NBSP}{slug}{NBSP}» a déjà été annoncée{NBSP}: une édition ne s’annonce qu’une fois")
            }
            Self::AnnouncedFor { slug, at, zone } => {
                format!("«{NBSP}{slug}{NBSP}» est déjà annoncée, pour le {}", date_and_hour(*at, *zone))
            }
            Self::ReachedNobody(key) => {
                format!("le numéro {} n’a atteint personne à qui un rectificatif pourrait être envoyé", of(key))
            }
            Self::NoWords => "le texte est vide".to_owned(),
            Self::TooManyWords { most } => format!("le texte est trop long{NBSP}: {most} caractères au plus"),
            Self::TooManyErrata { issue, most } => format!("le numéro {} a déjà {most} rectificatifs", of(issue)),
            Self::IsErratum(key) => {
                format!(
                    "{} est un rectificatif{NBSP}: pour en changer les mots, écrivez-le de nouveau",
                    IssueName::new(key)
                )
            }
            Self::WouldBeHeld { issue, why } => {
                format!("ainsi, le numéro {} ne pourrait pas partir{NBSP}: {why}", of(issue))
            }
            Self::CannotBeAnnounced { slug, why } => {
                format!("«{NBSP}{slug}{NBSP}» ne peut pas être annoncée{NBSP}: {why}")
            }
            Self::AnnouncedMeanwhile(key) => format!("une autre personne vient d’annoncer {}", IssueName::new(key)),
            Self::NotAnnounced(slug) => format!("«{NBSP}{slug}{NBSP}» n’est pas annoncée"),
            Self::LeavingAlready { issue, .. } => {
                format!("l’envoi {} a commencé{NBSP}: il peut seulement être arrêté", of(issue))
            }
            Self::PacksAreOrdered { ordered, .. } => {
                let (s, are) = (plural((*ordered).into()), if *ordered < 2 { "est" } else { "sont" });
                format!(
                    "{ordered}{NBSP}paquet{s} {are} commandé{s}{NBSP}: il ne peut pas y en avoir moins, ni d’une autre taille"
                )
            }
            Self::NoSuchOrders(ids) => format!("commande inconnue{NBSP}: {}", ids.join(", ")),
            Self::NotOrderable(slug) => format!("«{NBSP}{slug}{NBSP}» ne se commande pas, ou plus"),
            Self::TooFewPacks { left: 0, .. } => format!("il n’en reste plus{NBSP}: tous les paquets sont commandés"),
            Self::TooFewPacks { left: 1, .. } => "il ne reste qu’un paquet".to_owned(),
            Self::TooFewPacks { left, .. } => format!("il ne reste que {left}{NBSP}paquets"),
            Self::OverOrderLimit { most: 1, .. } => "une commande est d’un seul paquet".to_owned(),
            Self::OverOrderLimit { most, .. } => format!("une commande est de {most}{NBSP}paquets au plus"),
            Self::OrderedTooOften(_) => "cette commande a été modifiée trop souvent".to_owned(),
            Self::OrderNotOpen { order, state } => {
                let state = match state {
                    OrderState::Open => "en cours",
                    OrderState::Delivered => "remise",
                    OrderState::Cancelled => "annulée",
                };
                format!("la commande {order} est {state}{NBSP}: elle ne change plus")
            }
            Self::OrderChanged(order) => format!("la commande {order} vient d’être modifiée"),
            Self::OrderOfNobody(order) => format!("la personne de la commande {order} a été effacée"),
            Self::OtherOrderOpen { order, other } => {
                format!(
                    "ce partenaire a commandé de nouveau depuis la commande {order}{NBSP}: la commande {other} est en cours"
                )
            }
            Self::BeingSent(_) => {
                format!("un message part vers cette adresse en ce moment{NBSP}: réessayez dans une minute")
            }
            Self::NoReason => format!("indiquez la raison{NBSP}: elle est gardée avec ce que vous faites"),
            Self::ContactKnown(address) => format!("{address} est déjà dans la liste"),
            Self::ContactNotKnown(address) => format!("{address} n’est pas dans la liste"),
            Self::AddressTaken(address) => format!("{address} est déjà l’adresse d’un autre contact"),
            Self::NothingSaid => "rien n’a été modifié".to_owned(),
            Self::NotSuppressed(address) => format!("rien ne s’oppose aux envois à {address}"),
            Self::PersonsOwnWord(address) => {
                format!("{address} a demandé à ne plus rien recevoir{NBSP}: seule cette personne peut y revenir")
            }
            Self::NoSource => format!("indiquez d’où viennent les adresses{NBSP}: c’est gardé avec elles"),
            Self::UnusableList((line, why)) => format!("ligne {line}{NBSP}: {}", why.fr),
            Self::TooManyUploads { most } => {
                format!("{most} listes attendent déjà d’être importées{NBSP}: importez-en une, ou abandonnez-la")
            }
            Self::NoSuchUpload => "cette liste a été importée ou abandonnée, ou elle a expiré".to_owned(),
            Self::RemovesMany { gone, known } => {
                format!("cette liste retire {gone} contacts sur {known}{NBSP}: confirmez que c’est voulu")
            }
            Self::FolderNotEmpty(_) => "ce dossier n’est pas vide".to_owned(),
            Self::LedgerInTheWay => "il y a déjà une base de données à cet endroit".to_owned(),
            Self::FileInTheWay(_) | Self::SecretNotOfBackup(_) => {
                "la clé en place n’est pas celle de la sauvegarde".to_owned()
            }
            Self::LinkKeysNotConfigured => "aucun emplacement n’est configuré pour les clés des liens".to_owned(),
            Self::NoRole => "choisissez au moins un rôle".to_owned(),
            Self::NoAddress => "cette adresse électronique n’est pas comprise".to_owned(),
            Self::AccountKnown(_) => "cette adresse a déjà un compte".to_owned(),
            Self::NoSuchAccount(_) => "ce compte n’existe pas".to_owned(),
            Self::AccountDisabled(_) => format!("ce compte est désactivé{NBSP}: réactivez-le d’abord"),
            Self::NotAVenueOfItsOwn(name) => format!(
                "«{NBSP}{name}{NBSP}» peut désigner un lieu dans plusieurs communes{NBSP}: indiquez son nom propre"
            ),
            Self::NotACommune(name) => format!("«{NBSP}{name}{NBSP}» ne figure pas dans la liste des communes"),
            Self::NoSuchVenue(name) => format!("le lieu «{NBSP}{name}{NBSP}» n’est pas connu"),
            Self::LastAdministrator => format!(
                "c’est le dernier compte actif qui administre{NBSP}: donnez d’abord ce rôle à une autre personne"
            ),
        }
    }
}
