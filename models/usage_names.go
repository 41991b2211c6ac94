package models

import "context"

// UsageNames names groups of a report as people know them, by key; what is gone, or of another organization, is missing.
func (sc *Scope) UsageNames(ctx context.Context, by UsageBy, keys []string) (map[string]string, error) {
	query := map[UsageBy]string{
		ByMember:   "SELECT m.user_id AS id, u.name AS name FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND m.user_id IN ?",
		ByKey:      "SELECT id, name FROM api_keys WHERE organization_id = ? AND id IN ?",
		ByInstance: "SELECT id, name FROM instances WHERE organization_id = ? AND id IN ?",
		BySession:  "SELECT id, title AS name FROM sessions WHERE organization_id = ? AND id IN ?",
	}[by]
	out := map[string]string{}
	if query == "" || len(keys) == 0 {
		return out, nil
	}
	rows := []struct{ ID, Name string }{}
	err := sc.store.r.WithContext(rawContext(tenantContext(ctx, sc.Org))).Raw(query, sc.Org, keys).Scan(&rows).Error
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, translate(err)
}
