package app

// office lists the routes of the back office: for staff only, to others none of them exists.
func (a *App) office() []Route {
	health, users, organizations, instances := &Admin{a}, &AdminUsers{a}, &AdminOrganizations{a}, &AdminInstances{a}
	queues, flags, audit, backups := &AdminJobs{a}, &AdminFlags{a}, &AdminAudit{a}, &AdminBackups{a}
	plans, deliveries := &AdminPlans{a}, &AdminDeliveries{a}
	return []Route{
		{get, "/admin", Staff(), Pages, 0, health.Show},
		{get, "/admin/users", Staff(), Pages, 0, users.Index},
		{get, "/admin/users/:id", Staff(), Pages, 0, users.Show},
		{post, "/admin/users/:id", Staff(), Pages, 0, users.Update},
		{get, "/admin/organizations", Staff(), Pages, 0, organizations.Index},
		{get, "/admin/organizations/:id", Staff(), Pages, 0, organizations.Show},
		{post, "/admin/organizations/:id", Staff(), Pages, 0, organizations.Update},
		{post, "/admin/organizations/:id/flags", Staff(), Pages, 0, organizations.Flag},
		{post, "/admin/organizations/:id/delete", Staff(), Pages, 0, organizations.Destroy},
		{get, "/admin/instances", Staff(), Pages, 0, instances.Index},
		{get, "/admin/instances/:id", Staff(), Pages, 0, instances.Show},
		{post, "/admin/instances/:id", Staff(), Pages, 0, instances.Update},
		{get, "/admin/jobs", Staff(), Pages, 0, queues.Index},
		{get, "/admin/jobs/:queue", Staff(), Pages, 0, queues.Show},
		{post, "/admin/jobs/:queue", Staff(), Pages, 0, queues.Update},
		{get, "/admin/jobs/:queue/task", Staff(), Pages, 0, queues.Task},
		{post, "/admin/jobs/:queue/task", Staff(), Pages, 0, queues.UpdateTask},
		{get, "/admin/deliveries", Staff(), Pages, 0, deliveries.Index},
		{post, "/admin/deliveries", Staff(), Pages, 0, deliveries.Create},
		{get, "/admin/deliveries/:id", Staff(), Pages, 0, deliveries.Show},
		{post, "/admin/deliveries/:id", Staff(), Pages, 0, deliveries.Update},
		{get, "/admin/flags", Staff(), Pages, 0, flags.Index},
		{post, "/admin/flags", Staff(), Pages, 0, flags.Update},
		{get, "/admin/plans", Staff(), Pages, 0, plans.Index},
		{get, "/admin/plans/:tier", Staff(), Pages, 0, plans.Edit},
		{post, "/admin/plans/:tier", Staff(), Pages, 0, plans.Update},
		{get, "/admin/models", Staff(), Pages, 0, health.Models},
		{get, "/admin/audit", Staff(), Pages, 0, audit.Index},
		{get, "/admin/audit/export", Staff(), Pages, 0, audit.Export},
		{get, "/admin/backups", Staff(), Pages, 0, backups.Index},
		{post, "/admin/backups", Staff(), Pages, 0, backups.Create},
		{get, "/admin/backups/:id", Staff(), Pages, 0, backups.Show},
		{post, "/admin/backups/:id", Staff(), Pages, 0, backups.Update},
		{post, "/admin/backups/:id/download", Staff(), Pages, 0, backups.Download},
	}
}
