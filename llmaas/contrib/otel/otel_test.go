package otel_test

import (
	"context"
	"testing"

	"github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/llmaas/llmaas-go/llmaas"
	"github.com/llmaas/llmaas-go/llmaas/contrib/otel"
	"github.com/llmaas/llmaas-go/llmaas/llmaastest"
)

func TestObserver(t *testing.T) {
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	o, err := otel.New(otel.Options{
		Tracers: trace.NewTracerProvider(trace.WithSpanProcessor(spans)),
		Meters:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	require.NoError(t, err)
	srv := llmaastest.NewServer(t)
	c, err := llmaas.New(llmaas.Config{Token: llmaas.Static("secret"), BaseURL: srv.URL, Observer: o, Retry: llmaas.Retry{Attempts: 1}})
	require.NoError(t, err)
	req := openai.ChatCompletionRequest{Model: "gpt-oss:120b", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "a private prompt"}}}

	_, err = c.Chat(t.Context(), req)
	require.NoError(t, err)
	srv.Script(llmaastest.Reply{Status: 503}, llmaastest.Reply{Frames: []string{"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"}})
	_, err = c.Chat(t.Context(), req)
	require.ErrorIs(t, err, llmaas.ErrOverloaded)
	for range c.Stream(t.Context(), req).All() {
	}
	ended := spans.Ended()
	require.Len(t, ended, 3)
	for i, want := range []struct {
		problem string
		counted bool
	}{{"", true}, {"overloaded", false}, {"truncated", false}} {
		require.Equal(t, "chat gpt-oss:120b", ended[i].Name())
		set := attribute.NewSet(ended[i].Attributes()...)
		problem, _ := set.Value("error.type")
		require.Equal(t, want.problem, problem.AsString())
		_, counted := set.Value("gen_ai.usage.output_tokens")
		require.Equal(t, want.counted, counted, "an estimate is no usage")
		for _, a := range ended[i].Attributes() {
			require.NotContains(t, a.Value.String(), "private")
			require.NotContains(t, a.Value.String(), "secret")
		}
	}
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &data))
	require.Len(t, data.ScopeMetrics[0].Metrics, 2)
}
