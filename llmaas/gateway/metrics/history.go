package metrics

// ring holds the last requests; its size is the bound of their memory.
type ring struct {
	all  []Request
	next int
	full bool
}

func (r *ring) add(q Request) {
	r.all[r.next] = q
	if r.next++; r.next == len(r.all) {
		r.next, r.full = 0, true
	}
}

// each calls f from the newest to the oldest until it returns false.
func (r *ring) each(f func(*Request) bool) {
	n := r.next
	if r.full {
		n = len(r.all)
	}
	for i := range n {
		if !f(&r.all[(r.next-1-i+len(r.all))%len(r.all)]) {
			return
		}
	}
}

// Query chooses requests of the history. Empty fields match anything.
type Query struct {
	Tenant string
	Model  string
	Status int // exact
	Failed bool
	Limit  int // how many at most; 0 means 100
}

// History returns the requests that match, the newest first.
func (m *Metrics) History(q Query) []Request {
	most := q.Limit
	if most <= 0 {
		most = 100
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := []Request{}
	m.ring.each(func(r *Request) bool {
		if (q.Tenant == "" || q.Tenant == r.Tenant) && (q.Model == "" || q.Model == r.Model) &&
			(q.Status == 0 || q.Status == r.Status) && (!q.Failed || r.Status >= 400) {
			found = append(found, *r)
		}
		return len(found) < most
	})
	return found
}
