//! Which fields of a schema are not compared, since others say the same.

use renkei_linkage::RegisterIndex;

use crate::environment::Environment;

/// Says so, before anything is linked.
pub(super) fn warn(index: &RegisterIndex, environment: &Environment) {
    let fields = index.repeated_fields();
    if fields.is_empty() {
        return;
    }
    let names = fields.join("`, `");
    environment.warn(
        &format!(
            "not compared, since other fields say the same: `{names}`. Leave them out of the schema"
        ),
        &format!("ほかの項目と同じ内容のため比べません: `{names}`。スキーマから外してください"),
    );
}
