package app

import (
	"net/url"
	"strconv"

	"lobstead/jobs"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/admin"
)

// AdminJobs are the queues of background work.
type AdminJobs struct{ *App }

// Index shows all queues; that Redis does not answer is told on the page.
func (h *AdminJobs) Index(c *Ctx) (Reply, error) {
	p := admin.JobsProps{Frame: c.adminFrame("Jobs"), RequestID: c.requestID}
	var err error
	if p.Queues, err = h.Inspector.Queues(); err == nil {
		p.Workers, err = h.Inspector.Workers()
	}
	if err != nil {
		h.Log.Warn("the queues cannot be read", "request", c.requestID, "error", err)
		p.Problem = fault.As(err).Detail
		return page(admin.Jobs(p)).with(503), nil
	}
	return page(admin.Jobs(p)), nil
}

// Show lists the tasks of one queue in one state.
func (h *AdminJobs) Show(c *Ctx) (Reply, error) { return h.show(c, admin.Form{}, 200) }

func (h *AdminJobs) show(c *Ctx, form admin.Form, status int) (Reply, error) {
	q, err := h.Inspector.Queue(c.f.Params("queue"))
	if err != nil {
		return nil, err
	}
	p := admin.QueueProps{Frame: c.adminFrame(q.Name), Queue: q, State: jobs.State(c.Query("state")), Form: form}
	if p.State == "" {
		p.State = fullest(q)
	}
	n, _ := strconv.Atoi(c.Query("page")) // no number is the first
	n = min(max(1, n), 1_000_000)
	if p.Tasks, err = h.Inspector.Tasks(q.Name, p.State, n, officePage); err != nil {
		return nil, err
	}
	at := func(n int) string {
		return admin.JobsPath + "/" + q.Name + "?state=" + string(p.State) + "&page=" + strconv.Itoa(n)
	}
	if n > 1 {
		p.Newer = at(n - 1)
	}
	if n*officePage < q.Counts[p.State] {
		p.Next = at(n + 1)
	}
	return page(admin.Queue(p)).with(status), nil
}

// fullest is the state that a person wants to see first: what failed before what waits.
func fullest(q *jobs.Queue) jobs.State {
	for _, s := range []jobs.State{jobs.Archived, jobs.Retry, jobs.Active, jobs.Pending, jobs.Scheduled, jobs.Completed} {
		if q.Counts[s] > 0 {
			return s
		}
	}
	return jobs.Pending
}

// Update pauses a queue or lets it go on.
func (h *AdminJobs) Update(c *Ctx) (Reply, error) {
	q, err := h.Inspector.Queue(c.f.Params("queue"))
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("pause", "unpause")
	if err == nil {
		err = h.note(c, a, "", models.Noted{Act: "queue." + a.name + "d", Kind: "queue", ID: q.Name, Of: q.Name})
	}
	if err == nil && a.name == "pause" {
		err = h.Inspector.Pause(q.Name)
	} else if err == nil {
		err = h.Inspector.Unpause(q.Name)
	}
	if form, ok := c.refused(a, "queue", err); ok {
		return h.show(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.JobsPath+"/"+q.Name).say("ok", map[string]string{"pause": "Paused", "unpause": "The queue goes on"}[a.name]), nil
}

// note writes an act into the audit log before it is done: Redis and the database share no transaction, and an act
// without its entry would be worse than an entry of an act that failed.
func (h *AdminJobs) note(c *Ctx, a staffAct, org string, n models.Noted) error {
	return h.Store.AsSystem("an act of staff on the queue").Note(c, a.by, org, n)
}

// Task shows one task.
func (h *AdminJobs) Task(c *Ctx) (Reply, error) { return h.task(c, c.Query("id"), admin.Form{}, 200) }

func (h *AdminJobs) task(c *Ctx, id string, form admin.Form, status int) (Reply, error) {
	t, err := h.Inspector.Task(c.f.Params("queue"), id)
	if err != nil {
		return nil, err
	}
	return page(admin.Task(admin.TaskProps{Frame: c.adminFrame(t.Name), Task: t, Form: form})).with(status), nil
}

// UpdateTask runs a task now, or deletes it.
func (h *AdminJobs) UpdateTask(c *Ctx) (Reply, error) {
	a, err := c.staffAct("run", "delete")
	if a.fields == nil { // no body that could name a task
		return nil, err
	}
	id := a.text("id")
	t, missing := h.Inspector.Task(c.f.Params("queue"), id)
	if missing != nil {
		return nil, missing
	}
	if err == nil {
		err = h.note(c, a, t.Org(), models.Noted{Act: "job." + a.name, Kind: "job", ID: t.ID, Of: t.Name, After: map[string]any{"queue": t.Queue, "state": t.State}})
	}
	if err == nil && a.name == "run" {
		err = h.Inspector.Run(t)
	} else if err == nil {
		err = h.Inspector.Delete(t)
	}
	if form, ok := c.refused(a, "task", err); ok {
		return h.task(c, id, form, 422)
	}
	if err != nil {
		return nil, err
	}
	said := map[string]string{"run": "A worker takes it now", "delete": "The task is gone"}[a.name]
	return redirect(admin.JobsPath+"/"+url.PathEscape(t.Queue)).say("ok", said), nil
}
