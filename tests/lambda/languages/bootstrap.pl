#!/usr/bin/perl
# A runtime of Perl's own HTTP client, which keeps its connection.
use strict;
use warnings;
use HTTP::Tiny;
$| = 1;
my $http = HTTP::Tiny->new(keep_alive => 1, timeout => 3600);
my $api = "http://$ENV{AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime";
my $fault = '{"errorMessage":"refused","errorType":"Sample.Refused","stackTrace":["bootstrap"]}';
sub post {
    my ($path, $body, %headers) = @_;
    my $answer = $http->post("$api/$path", {content => $body, headers => \%headers});
    die "$path: $answer->{status} $answer->{content}" unless $answer->{status} == 202;
}
my %as_error = ("Lambda-Runtime-Function-Error-Type" => "Sample.Refused");
if ($ENV{BROKEN}) {
    post("init/error", $fault, %as_error);
    exit 1;
}
for (my $count = 1; ; $count++) {
    my $next = $http->get("$api/invocation/next");
    die "next: $next->{status} $next->{content}" unless $next->{success};
    my ($event, $of) = ($next->{content}, $next->{headers});
    my $id = $of->{"lambda-runtime-aws-request-id"};
    print "line of $id\n";
    if ($event =~ /fail/) {
        post("invocation/$id/error", $fault, %as_error);
    } else {
        post("invocation/$id/response", "{\"event\":$event,\"count\":$count,\"id\":\"$id\","
            . "\"arn\":\"$of->{'lambda-runtime-invoked-function-arn'}\",\"deadline\":$of->{'lambda-runtime-deadline-ms'}}");
    }
}
