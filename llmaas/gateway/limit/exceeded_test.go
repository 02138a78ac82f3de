package limit

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a caller reads in Retry-After is the end of the window that holds it up.
func TestRetryAfterToTheSecond(t *testing.T) {
	for _, row := range []struct {
		limit string
		tier  Tier
		now   string
		want  string
	}{
		{RequestsPerMinute, tierOf(func(t *Tier) { t.RequestsPerMinute = 1 }), "2026-05-17T12:00:00Z", "60"},
		{RequestsPerMinute, tierOf(func(t *Tier) { t.RequestsPerMinute = 1 }), "2026-05-17T12:00:59Z", "1"},
		{RequestsPerMinute, tierOf(func(t *Tier) { t.RequestsPerMinute = 1 }), "2026-05-17T12:00:59.999999999Z", "1"},
		{RequestsPerMinute, tierOf(func(t *Tier) { t.RequestsPerMinute = 1 }), "2026-05-17T12:00:58.999999999Z", "2"},
		{OutputPerHour, tierOf(func(t *Tier) { t.OutputPerHour = 10 }), "2026-05-17T12:00:00Z", "3600"},
		{OutputPerHour, tierOf(func(t *Tier) { t.OutputPerHour = 10 }), "2026-05-17T12:59:59.5Z", "1"},
		{OutputPerHour, tierOf(func(t *Tier) { t.OutputPerHour = 10 }), "2026-05-17T14:30:00+05:30", "3600"},
		{OutputPerDay, tierOf(func(t *Tier) { t.OutputPerDay = 10 }), "2026-05-17T00:00:00Z", "86400"},
		{OutputPerDay, tierOf(func(t *Tier) { t.OutputPerDay = 10 }), "2026-05-17T23:59:59Z", "1"},
		{OutputPerDay, tierOf(func(t *Tier) { t.OutputPerDay = 10 }), "2026-05-18T01:00:00+02:00", "3600"},
		{MonthlyBudget, tierOf(func(t *Tier) { t.MonthlyBudget = 10 }), "2026-05-01T00:00:00Z", "2678400"},
		{MonthlyBudget, tierOf(func(t *Tier) { t.MonthlyBudget = 10 }), "2026-05-31T23:59:59.1Z", "1"},
		{MonthlyBudget, tierOf(func(t *Tier) { t.MonthlyBudget = 10 }), "2026-12-31T23:00:00Z", "3600"},
		{MonthlyBudget, tierOf(func(t *Tier) { t.MonthlyBudget = 10 }), "2028-02-28T00:00:00Z", "172800"},
		{MonthlyBudget, tierOf(func(t *Tier) { t.MonthlyBudget = 10 }), "2026-06-01T01:00:00+02:00", "3600"},
		{Concurrent, tierOf(func(t *Tier) { t.Concurrent = 1 }), "2026-05-17T12:00:00Z", "1"},
	} {
		now, err := time.Parse(time.RFC3339Nano, row.now)
		require.NoError(t, err)
		l := limiterOf(t, row.tier, Options{MonthlyBudget: true})
		_, err = l.Reserve(t.Context(), Request{"acme", 10, 10}, now)
		require.NoError(t, err)
		_, err = l.Reserve(t.Context(), Request{"acme", 1, 1}, now)
		var exceeded *ExceededError
		require.ErrorAs(t, err, &exceeded, row.limit)
		header := http.Header{}
		exceeded.Set(header)
		require.Equal(t, []string{row.limit, row.want}, []string{exceeded.Limit, header.Get("Retry-After")}, row.now)
	}
}

// After Retry-After the request fits, and a second earlier it does not.
func TestRetryAfterIsCorrect(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	refused := 0
	for range 500 {
		now := noon.Add(time.Duration(random.Int64N(int64(48 * time.Hour))))
		l := limiterOf(t, Tier{OutputPerHour: 100, OutputPerDay: 150, RequestsPerMinute: 3, Concurrent: 100}, Options{})
		for {
			request := Request{"acme", random.Int64N(60), 0}
			lease, err := l.Reserve(t.Context(), request, now)
			if err == nil {
				require.NoError(t, lease.Settle(t.Context(), Used{Output: request.Output}))
				if random.IntN(3) == 0 {
					now = now.Add(time.Duration(random.Int64N(int64(time.Hour))))
				}
				continue
			}
			var exceeded *ExceededError
			require.ErrorAs(t, err, &exceeded)
			header := http.Header{}
			exceeded.Set(header)
			seconds, err := time.ParseDuration(header.Get("Retry-After") + "s")
			require.NoError(t, err)
			_, err = l.Reserve(t.Context(), request, now.Add(seconds-time.Second))
			require.Error(t, err, "%v", exceeded)
			_, err = l.Reserve(t.Context(), request, now.Add(seconds))
			require.NoError(t, err, "%v", exceeded)
			refused++
			break
		}
	}
	require.Equal(t, 500, refused)
}

func TestRespond(t *testing.T) {
	l := limiterOf(t, Tier{OutputPerHour: 1000, OutputPerDay: Unlimited, RequestsPerMinute: 2, Concurrent: Unlimited}, Options{})
	now := noon.Add(10*time.Second + time.Millisecond)
	lease, err := l.Reserve(t.Context(), Request{"acme", 900, 0}, now)
	require.NoError(t, err)
	header := http.Header{}
	lease.Requests().Set(header)
	require.Equal(t, "2", header.Get("X-RateLimit-Limit-Requests"))
	require.Equal(t, "1", header.Get("X-RateLimit-Remaining-Requests"))
	require.Equal(t, "1779019260", header.Get("X-RateLimit-Reset-Requests"))

	rows := []struct {
		output     int64
		retry, msg string
	}{
		{101, "3590", "Rate limit output_tokens_per_hour reached: 900 of 1000 used or reserved, and this request asks for up to 101 more."},
		{1001, "", "Rate limit output_tokens_per_hour: this request alone asks for up to 1001, and the limit is 1000."},
	}
	for _, row := range rows {
		_, err := l.Reserve(t.Context(), Request{"acme", row.output, 0}, now)
		var exceeded *ExceededError
		require.ErrorAs(t, err, &exceeded)
		require.ErrorContains(t, err, OutputPerHour)
		w := httptest.NewRecorder()
		exceeded.Respond(w)
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Equal(t, row.retry, w.Header().Get("Retry-After"))
		require.Equal(t, "1", w.Header().Get("X-RateLimit-Remaining-Requests"))
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.JSONEq(t, `{"error":{"message":"`+row.msg+`","type":"rate_limit_error","code":"rate_limit_exceeded"}}`, w.Body.String())
	}
	for wait, want := range map[time.Duration]string{time.Nanosecond: "1", time.Second: "1", time.Second + 1: "2", time.Minute: "60"} {
		e := ExceededError{Limit: OutputPerHour, RetryAfter: wait}
		header = http.Header{}
		e.Set(header)
		require.Equal(t, want, header.Get("Retry-After"))
		require.ErrorContains(t, &e, "retry after "+wait.String())
	}
	require.NotContains(t, (&ExceededError{}).Error(), "retry")
	header = http.Header{}
	requestsOf(Counter{Max: Unlimited}, 5).Set(header)
	require.Empty(t, header)
}

func BenchmarkReserveSettle(b *testing.B) {
	l, err := New(Options{Tier: func(string) Tier { return unlimited }})
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			lease, err := l.Reserve(b.Context(), Request{"acme", 1000, 0}, noon)
			if err == nil {
				err = lease.Settle(b.Context(), Used{Output: 10})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
