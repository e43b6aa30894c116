//! The A5 booklet and its imposition on folded A4 sheets.
use super::{PrintError, Sheet, sheet::Laid, theme::Theme, type_case::TypeCase};
pub fn lay(_sheet: &Sheet, _case: &TypeCase, _theme: &Theme) -> Result<Laid, PrintError> {
    Err(PrintError::DoesNotFit)
}
pub fn impose(laid: Laid) -> Laid {
    laid
}
