// A runtime of Go's net/http: a pool of connections, answers in chunks when their length is not known.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

const fault = `{"errorMessage":"refused","errorType":"Sample.Refused","stackTrace":["bootstrap"]}`

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func post(path string, body io.Reader, failed bool) {
	request, err := http.NewRequest("POST", api+path, body)
	if err != nil {
		panic(err)
	}
	if failed {
		request.Header.Set("Lambda-Runtime-Function-Error-Type", "Sample.Refused")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if answer.StatusCode != 202 {
		panic(path + ": " + answer.Status)
	}
}

func main() {
	if os.Getenv("BROKEN") != "" {
		post("init/error", strings.NewReader(fault), true)
		os.Exit(1)
	}
	for count := 1; ; count++ {
		next, err := http.Get(api + "invocation/next")
		if err != nil {
			panic(err)
		}
		event, err := io.ReadAll(next.Body)
		if err != nil {
			panic(err)
		}
		next.Body.Close()
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		fmt.Println("line of " + id)
		if strings.Contains(string(event), "fail") {
			post("invocation/"+id+"/error", strings.NewReader(fault), true)
			continue
		}
		// A reader of no known length goes out in chunks.
		post("invocation/"+id+"/response", io.MultiReader(strings.NewReader(fmt.Sprintf(
			`{"event":%s,"count":%d,"id":"%s","arn":"%s","deadline":%s}`, event, count, id,
			next.Header.Get("Lambda-Runtime-Invoked-Function-Arn"), next.Header.Get("Lambda-Runtime-Deadline-Ms")))), false)
	}
}
