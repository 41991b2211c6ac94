package models

import (
	"context"
	"slices"

	"gorm.io/gorm"
)

// nameQueries find what people call the rows with some ids. Each takes the organization and the ids.
var nameQueries = map[UsageBy]string{
	ByMember:   "SELECT m.user_id AS id, u.name AS name FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND m.user_id IN ?",
	ByKey:      "SELECT id, name FROM api_keys WHERE organization_id = ? AND id IN ?",
	ByInstance: "SELECT id, name FROM instances WHERE organization_id = ? AND id IN ?",
	BySession:  "SELECT id, title AS name FROM sessions WHERE organization_id = ? AND id IN ?",
}

// namesAtOnce is how many ids one query has: SQLite takes 32,766 parameters, Postgres 65,535.
const namesAtOnce = 5000

// UsageNames names groups of a report as people know them, by key; what is gone, or of another organization, is missing, and
// so are keys of ways whose keys are names already. There may be any number of keys.
func (sc *Scope) UsageNames(ctx context.Context, by UsageBy, keys []string) (map[string]string, error) {
	return sc.names(sc.read(ctx), nameQueries[by], keys)
}

// names runs one of the queries that find names, in parts; "" finds none.
func (sc *Scope) names(db *gorm.DB, query string, ids []string) (map[string]string, error) {
	out := map[string]string{}
	if query == "" {
		return out, nil
	}
	for part := range slices.Chunk(ids, namesAtOnce) {
		rows := []struct{ ID, Name string }{}
		if err := db.WithContext(rawContext(db.Statement.Context)).Raw(query, sc.Org, part).Scan(&rows).Error; err != nil {
			return nil, translate(err)
		}
		for _, r := range rows {
			out[r.ID] = r.Name
		}
	}
	return out, nil
}
