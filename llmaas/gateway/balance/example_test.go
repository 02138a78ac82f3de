package balance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/llmaas/llmaas-go/llmaas/gateway/balance"
)

func Example() {
	machine := func(name string, status int) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
	}
	ill, well := machine("gpu-01", 503), machine("gpu-02", 200)
	defer ill.Close()
	defer well.Close()

	b, err := balance.New(balance.Options{Backends: []balance.Backend{
		{Name: "gpu-01", URL: ill.URL + "/v1", Models: []string{"gpt-oss:120b"}},
		{Name: "gpu-02", URL: well.URL + "/v1", Models: []string{"gpt-oss:120b"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: b}
	hint := &balance.Hint{Model: "gpt-oss:120b", Affinity: "session-42"}
	req, err := http.NewRequestWithContext(balance.WithHint(context.Background(), hint), "GET", "http://gateway/v1/models", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	fmt.Println(resp.StatusCode, hint.Backend)
	// Output: 200 gpu-02
}
