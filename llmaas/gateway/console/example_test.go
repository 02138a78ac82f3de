package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/llmaas/llmaas-go/llmaas/gateway/console"
)

func Example() {
	page, err := console.New(console.Options{
		Allow: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+"key of an operator" },
		History: func(q console.Query) any {
			return []map[string]any{{"tenant": q.Tenant, "status": 200}}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/console/", http.StripPrefix("/console", page))

	r := httptest.NewRequest("GET", "/console/history?tenant=acme", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code)

	r.Header.Set("Authorization", "Bearer key of an operator")
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 401
	// 200 [{"status":200,"tenant":"acme"}]
}
