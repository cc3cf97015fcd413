"""Expressions: a table of them and what expr-lang with Argo's functions makes of them; bounds; tags."""

from __future__ import annotations

import json
from collections import ChainMap
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.workflow import gojson
from penstock.workflow.expressions import ExpressionError, Flat, evaluate, names, parse
from penstock.workflow.tags import AbsentOptional, Unresolved, replace

VARIABLES = Flat(
    {
        "workflow.parameters.x": "5",
        "workflow.parameters.list": '["a","b"]',
        "workflow.parameters": "[..]",
        "workflow.name": "w",
        "inputs.parameters.s": "Hello World",
        "inputs.parameters.n": "42",
        "tasks.A.status": "Succeeded",
        "tasks.A.outputs.result": "heads",
        "tasks.a-b.outputs.parameters.p": '{"k":[1,2.5,"z"],"m":{"q":true}}',
        "item": '{"a":"1"}',
        "item.a": "1",
        "tasks.gone.outputs.parameters.o": None,
        "lastRetry.exitCode": "2",
        "data": ["main.log", "x.txt", "y.py"],
    }
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("7 / 2", "3.5"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("2 ** 10", "1024"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ** 2", "-4"),
        ("1 == 1.0", "true"),
        ("'a' == \"a\"", "true"),
        ("'a' + 'b'", '"ab"'),
        ("1 < 2 < 3", "true"),
        ("not true or true", "true"),
        ("!(1 > 2) && true", "true"),
        ("asInt(inputs.parameters.n) * 10", "420"),
        ("inputs.parameters.n == 42", "false"),
        ("inputs.parameters.n == '42'", "true"),
        ("inputs.parameters['n']", '"42"'),
        ("inputs.parameters.zzz", "null"),
        ("inputs.parameters.zzz == nil", "true"),
        ("inputs.parameters.zzz ?? 'd'", '"d"'),
        ("workflow.parameters.x", '"5"'),
        ("workflow.nope", "null"),
        ("workflow.nope?.deeper", "null"),
        ("workflow.nope?.deeper.more ?? 'd'", '"d"'),
        ("tasks['a-b'].outputs.parameters.p", '"{\\"k\\":[1,2.5,\\"z\\"],\\"m\\":{\\"q\\":true}}"'),
        ("fromJSON(tasks['a-b'].outputs.parameters.p).k[1]", "2.5"),
        ("fromJSON(tasks['a-b'].outputs.parameters.p).k", '[1,2.5,"z"]'),
        ("fromJSON(tasks['a-b'].outputs.parameters.p).m.q", "true"),
        ("jsonpath(tasks['a-b'].outputs.parameters.p, '$.k[0]')", "1"),
        ("jsonpath(tasks['a-b'].outputs.parameters.p, '$.k[*]')", '[1,2.5,"z"]'),
        ("jsonpath(tasks['a-b'].outputs.parameters.p, '$.k[0:2]')", "[1,2.5]"),
        ("jsonpath(tasks['a-b'].outputs.parameters.p, '$..q')", "[true]"),
        ("jsonpath('[{\"value\":\"true\"}]', '$[0].value') == 'true'", "true"),
        ('jsonpath(\'{"e":[{"n":"B","age":43},{"n":"C","age":50}]}\', \'$.e[?(@.n=="B")].age\')', "[43]"),
        ('jsonpath(\'{"e":[{"n":"B","age":43},{"n":"C","age":50}]}\', \'$.e[?(@.age>42 && @.age<44)].age\')', "[43]"),
        ("tasks.gone.outputs.parameters.o", "null"),
        ("tasks.gone.outputs.parameters.o ?? 'x'", '"x"'),
        ("tasks.gone.outputs.parameters.o ?? tasks.A.status", '"Succeeded"'),
        ("item", '{"a":"1"}'),
        ("item.a", '"1"'),
        ("get(item, 'type') ?? 'always'", '"always"'),
        ("get(item, 'a')", '"1"'),
        ('toJson({"b": 1, "a": [true, nil, 1.5]})', '"{\\"a\\":[true,null,1.5],\\"b\\":1}"'),
        (
            'toJSON({"b": 1, "a": [true, nil, 1.5]})',
            '"{\\n  \\"a\\": [\\n    true,\\n    null,\\n    1.5\\n  ],\\n  \\"b\\": 1\\n}"',
        ),
        ('toJSON("a<b")', '"\\"a\\\\u003cb\\""'),
        ("toJSON([])", '"[]"'),
        ("string(1.5)", '"1.5"'),
        ("string(1000000.0)", '"1e+06"'),
        ("string(3)", '"3"'),
        ("string(nil)", '"\\u003cnil\\u003e"'),
        ('int("12")', "12"),
        ("int(3.9)", "3"),
        ('float("1.5")', "1.5"),
        ('len("héllo")', "5"),
        ("len([1,2])", "2"),
        ('upper("abc") + lower("DEF")', '"ABCdef"'),
        ('trim("  x ")', '"x"'),
        ('split("a,b,c", ",")', '["a","b","c"]'),
        ('split("a,b,c", ",", 2)', '["a","b,c"]'),
        ('splitAfter("a,b,c", ",")', '["a,","b,","c"]'),
        ('join(["a","b"], "-")', '"a-b"'),
        ('fromJSON(workflow.parameters.list) | join("+")', '"a+b"'),
        ('map(fromJSON(workflow.parameters.list), # + "!")', '["a!","b!"]'),
        ('map(fromJSON(workflow.parameters.list), {# + "!"})', '["a!","b!"]'),
        ('filter(data, {# endsWith "main.log"})', '["main.log"]'),
        ("filter([1,2,3,4], # > 2)", "[3,4]"),
        ('filter([{"a": 1}, {"a": 2}], .a > 1)', '[{"a":2}]'),
        ("all([1,2], # > 0)", "true"),
        ("any([1,2], {# > 1})", "true"),
        ("none([1], # > 1)", "true"),
        ("one([1,2], # == 1)", "true"),
        ("count([1,2,3], # > 1)", "2"),
        ("count([true,false])", "1"),
        ("sum([1,2,3])", "6"),
        ("sum([1.5,2])", "3.5"),
        ("find([1,2,3], # > 1)", "2"),
        ("find([1], # > 1)", "null"),
        ("findIndex([1,2], # == 2)", "1"),
        ("findLast([1,2,3], # < 3)", "2"),
        ("reduce([1,2,3], #acc + #)", "6"),
        ("reduce([1,2,3], #acc + #, 10)", "16"),
        ("sortBy([3,1,2], #)", "[1,2,3]"),
        ('sortBy([{"a":2},{"a":1}], .a, "desc")', '[{"a":2},{"a":1}]'),
        ("sort([3,1,2])", "[1,2,3]"),
        ('sort(["b","a"], "desc")', '["b","a"]'),
        ("max(1, 2.5, [3])", "3"),
        ("min([4,5])", "4"),
        ("mean([1,2,3,4])", "2.5"),
        ("median([3,1,2])", "2"),
        ("abs(-3)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("round(2.5)", "3"),
        ("first([1,2])", "1"),
        ("last([])", "null"),
        ("take([1,2,3], 2)", "[1,2]"),
        ("reverse([1,2])", "[2,1]"),
        ("uniq([1,1,2])", "[1,2]"),
        ("concat([1],[2,3])", "[1,2,3]"),
        ("flatten([1,[2,[3]]])", "[1,2,3]"),
        ('keys({"a":1})', '["a"]'),
        ('values({"a":1})', "[1]"),
        ('toPairs({"a":1})', '[["a",1]]'),
        ('toBase64("hi")', '"aGk="'),
        ('fromBase64("aGk=")', '"hi"'),
        ("type(1)", '"int"'),
        ('type("a")', '"string"'),
        ("type(nil)", '"nil"'),
        ("type([])", '"array"'),
        ("type({})", '"map"'),
        ("1..3", "[1,2,3]"),
        ("3..1", "[]"),
        ('"abc"[1:2]', '"b"'),
        ("[1,2,3][-1]", "3"),
        ('"abc" contains "b"', "true"),
        ('"abc" not contains "b"', "false"),
        ('"abc" matches "^a.c$"', "true"),
        ('"abc" startsWith "ab"', "true"),
        ("1 in [1,2]", "true"),
        ('"a" in {"a": 1}', "true"),
        ("3 not in [1,2]", "true"),
        ("true ? 1 : 2", "1"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("nil ?? 1", "1"),
        ("let x = 2; x * x", "4"),
        ('if 1 < 2 {"a"} else {"b"}', '"a"'),
        ('if false {"a"} else if true {"c"} else {"b"}', '"c"'),
        ("\"\\n\\t\\\"\" + 'it\\'s'", '"\\n\\t\\"it\'s"'),
        ("`raw\\n`", '"raw\\\\n"'),
        ("0x1F + 0b11 + 0o17", "49"),
        ("1_000", "1000"),
        ("1.5e3", "1500"),
        (".5 + 1", "1.5"),
        ('hasPrefix("abc","a")', "true"),
        ('indexOf("abc","c")', "2"),
        ('lastIndexOf("abcabc","b")', "4"),
        ('replace("aXbX","X","-")', '"a-b-"'),
        ('repeat("ab", 3)', '"ababab"'),
        ('trimPrefix("abc","a")', '"bc"'),
        ('trimSuffix("abc","c")', '"ab"'),
        ("bitand(6, 3)", "2"),
        ("bitshl(1, 3)", "8"),
        ('sprig.upper("abc")', '"ABC"'),
        ('sprig.replace("bar", "baz", "foobar")', '"foobaz"'),
        ('sprig.trimAll("-", "--a--")', '"a"'),
        ('sprig.join("-", ["a","b"])', '"a-b"'),
        ('sprig.splitList(",", "a,b")', '["a","b"]'),
        ('sprig.default("d", "")', '"d"'),
        ('sprig.ternary("y", "n", true)', '"y"'),
        ('sprig.add(1, "2", 3)', "6"),
        ("sprig.sub(5, 2)", "3"),
        ("sprig.mul(2, 3)", "6"),
        ("sprig.div(7, 2)", "3"),
        ("sprig.mod(7, 2)", "1"),
        ("sprig.max(1, 5)", "5"),
        ("sprig.toString(5)", '"5"'),
        ('sprig.atoi("12")', "12"),
        ('sprig.int("7")', "7"),
        ("sprig.int(1.9)", "1"),
        ('sprig.title("hello world")', '"Hello World"'),
        ('sprig.substr(0, 3, "hello")', '"hel"'),
        ('sprig.trunc(3, "hello")', '"hel"'),
        ('sprig.trunc(-3, "hello")', '"llo"'),
        ('sprig.abbrev(5, "hello world")', '"he..."'),
        ('sprig.indent(2, "a\\nb")', '"  a\\n  b"'),
        ('sprig.nindent(2, "a")', '"\\n  a"'),
        ('sprig.quote("a", 1)', '"\\"a\\" \\"1\\""'),
        ('sprig.squote("a")', "\"'a'\""),
        ('sprig.cat("a", "b", 1)', '"a b 1"'),
        ('sprig.contains("b", "abc")', "true"),
        ('sprig.hasPrefix("a", "abc")', "true"),
        ('sprig.regexMatch("^a", "abc")', "true"),
        ('sprig.regexFind("[0-9]+", "a12b3")', '"12"'),
        ('sprig.regexFindAll("[0-9]", "a12b3", -1)', '["1","2","3"]'),
        ('sprig.regexReplaceAll("a(x*)b", "-ab-axxb-", "${1}W")', '"-W-xxW-"'),
        ('sprig.regexReplaceAllLiteral("a(x*)b", "-ab-axxb-", "${1}")', '"-${1}-${1}-"'),
        ('sprig.regexSplit("z+", "pizza", -1)', '["pi","a"]'),
        ('sprig.regexQuoteMeta("1.2")', '"1\\\\.2"'),
        ('sprig.snakecase("FirstName")', '"first_name"'),
        ('sprig.camelcase("http_server")', '"HttpServer"'),
        ('sprig.kebabcase("FirstName")', '"first-name"'),
        ("sprig.first([1,2])", "1"),
        ("sprig.rest([1,2,3])", "[2,3]"),
        ("sprig.last([1,2])", "2"),
        ("sprig.initial([1,2,3])", "[1,2]"),
        ("sprig.append([1], 2)", "[1,2]"),
        ("sprig.prepend([1], 2)", "[2,1]"),
        ("sprig.reverse([1,2])", "[2,1]"),
        ("sprig.uniq([1,1])", "[1]"),
        ("sprig.without([1,2,3], 2)", "[1,3]"),
        ("sprig.has(1, [1,2])", "true"),
        ("sprig.list(1, 2)", "[1,2]"),
        ('sprig.dict("a", 1, "b", 2)', '{"a":1,"b":2}'),
        ('sprig.hasKey({"a":1}, "a")', "true"),
        ('sprig.get({"a":"x"}, "a")', '"x"'),
        ('sprig.pick({"a":1,"b":2}, "a")', '{"a":1}'),
        ('sprig.omit({"a":1,"b":2}, "a")', '{"b":2}'),
        ('sprig.fromJson("{\\"a\\": 1}")', '{"a":1}'),
        ('sprig.toJson({"a": 1})', '"{\\"a\\":1}"'),
        ('sprig.b64enc("hi")', '"aGk="'),
        ('sprig.b64dec("aGk=")', '"hi"'),
        ('sprig.sha256sum("hi")', '"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"'),
        ('sprig.sha1sum("hi")', '"c22b5f9178342609428d6f51b2c5af4c0bde6a42"'),
        ('sprig.adler32sum("hi")', '"20644050"'),
        ("sprig.until(3)", "[0,1,2]"),
        ("sprig.untilStep(0, 6, 2)", "[0,2,4]"),
        ("sprig.seq(3)", '"1 2 3"'),
        ("sprig.seq(2, 5)", '"2 3 4 5"'),
        ("sprig.seq(0, 2, 6)", '"0 2 4 6"'),
        ('sprig.empty("")', "true"),
        ('sprig.coalesce("", "b")', '"b"'),
        ('sprig.compact(["a", "", "b"])', '["a","b"]'),
        ("sprig.round(1.255, 2)", "1.25"),
        ("sprig.floor(1.9)", "1"),
        ("sprig.ceil(1.1)", "2"),
        ('sprig.plural("one", "many", 2)', '"many"'),
        ('sprig.nospace("a b c")', '"abc"'),
        ('sprig.swapcase("aB")', '"Ab"'),
        ('sprig.untitle("Hello World")', '"hello world"'),
        ('sprig.base("/a/b.txt")', '"b.txt"'),
        ('sprig.dir("/a/b.txt")', '"/a"'),
        ('sprig.ext("/a/b.txt")', '".txt"'),
        ('sprig.clean("a/../b")', '"b"'),
        ('sprig.isAbs("/a")', "true"),
        ('sprig.kindOf("a")', '"string"'),
        ("sprig.slice([1,2,3,4], 1, 3)", "[2,3]"),
        ('sprig.sortAlpha(["b","a"])', '["a","b"]'),
        ("sprig.toStrings([1,2])", '["1","2"]'),
        ('sprig.repeat(3, "ab")', '"ababab"'),
        ("sprig.upper(workflow.name)", '"W"'),
        ('{"a": 1}.a', "1"),
        ("[1, 2,]", "[1,2]"),
        ("tasks.A.outputs.result == 'heads' ? 'yes' : tasks.B.outputs.result", '"yes"'),
        ("asInt(lastRetry.exitCode) > 1", "true"),
        ("lastRetry.exitCode == 2", "false"),
        ('lastRetry.exitCode == "2"', "true"),
        ("concat(['always'], inputs.parameters.n == 'true' ? ['test'] : []) | toJSON()", '"[\\n  \\"always\\"\\n]"'),
        ("nil == nil", "true"),
        ('"b" > "a"', "true"),
        ("1; 2", "2"),
        ("1 /* c */ + 1", "2"),
    ],
)
def test_an_expression_and_its_value_as_json(expression: str, value: str) -> None:
    assert gojson.dumps(evaluate(expression, VARIABLES)) == value


@pytest.mark.parametrize(
    "expression",
    [
        "'a' + 1",
        "workflow.nope.deeper",
        "jsonpath(tasks['a-b'].outputs.parameters.p, '$.nope')",
        "tasks.nope.status",
        "unknown",
        "unknown.x",
        'int("1x")',
        "[1,2,3][5]",
        "1 ?: 2",
        'sprig.fail("no")',
        "sprig.nope(1)",
        "nope(1)",
        "(1",
        "1 +",
        '"abc',
        "a b",
        "true && 1",
        "nil < 1",
        "// comment",
    ],
)
def test_what_cannot_be_evaluated(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, VARIABLES)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 +", 'unexpected token "end of expression"'),
        ("a b", 'unexpected token "b"'),
        ("1 ~ 2", "unrecognized character: '~'"),
        ("0x", "unexpected token"),
        ("99999999999999999999", "integer literal is too large"),
        ("unknown", "unknown name unknown"),
        ("nope(1)", "unknown function nope"),
        ("duration('1h')", "unknown function duration"),
        ("sprig.env('HOME')", "unknown function env"),
        ("workflow.nope.deeper", "cannot fetch deeper from <nil>"),
        ("[1][5]", "index out of range: 5 (array length is 1)"),
        ("'a' + 1", "invalid operation: string + int"),
        ("true && 1", "interface conversion: interface {} is int, not bool"),
        ("int('x')", 'strconv.Atoi: parsing "x": invalid syntax'),
        ("1 % 0", "integer divide by zero"),
        ("'a' matches '('", "error parsing regexp"),
        ("jsonpath('{}', '$.a')", "jsonpath: key 'a' not found"),
        ("fromJSON('{')", "fromJSON: "),
        ("1 ?? 2 + 3", "cannot be mixed"),
        ("sprig.fail('why')", "why"),
    ],
)
def test_messages(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, VARIABLES)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "!" * 5000 + "true",
        "1" + " + 1" * 5000,
        "a" + ".a" * 5000,
        "[" * 5000,
        "true ? " * 5000 + "1",
        "x" * 2_000_000,
        "repeat('ab', 1000000000)",
        "sprig.repeat(1000000000, 'ab')",
        "1..1000000000",
        "sprig.until(1000000000)",
        "len(map(1..1000, map(1..1000, #)))",
        "let a = repeat('x', 900000); a + a",
        "replace(repeat('x', 900000), 'x', 'yyyy')",
        "sum(map(1..1000, reduce(1..1000, #acc + #)))",
        "filter(1..90000, # in 1..90000)",
    ],
)
def test_bounds(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, Flat({"a": "1"}))


@given(
    st.lists(
        st.sampled_from(
            [
                *("a", "1", "2.5", "'x'", "nil", "true", "#", "[1]", "{a: 1}", "map", "filter", "sprig", "len", "let"),
                *("(", ")", "[", "]", "{", "}", ".", "?.", ",", ";", ":", "?", "??", "|", "+", "-", "==", "in", "not"),
                *("if", "else", "..", "&&", "=", "\\", "`", "'", "//", "/*"),
            ]
        ),
        max_size=14,
    ).map(" ".join)
    | st.text(max_size=30)
)
@example("a.")
def test_any_text_gives_a_value_or_an_error(text: str) -> None:
    with suppress(ExpressionError):
        evaluate(text, Flat({"a": "1"}))


def test_what_an_expression_refers_to() -> None:
    found = set(names(parse("tasks['a-b'].outputs.result == inputs.parameters.x || (item.k ?? 'd') == sprig.upper(y)")))
    assert found == {
        *("tasks", "tasks.a-b", "tasks.a-b.outputs", "tasks.a-b.outputs.result"),
        *("inputs", "inputs.parameters", "inputs.parameters.x", "item", "sprig", "sprig.upper", "y"),
    }


SCOPE: ChainMap[str, str | None] = ChainMap(
    {"workflow.parameters.n": "4", "tasks.A.outputs.result": "ok", "tasks.S.outputs.parameters.o": None}
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{=asInt(workflow.parameters.n) * 2}}", "8"),
        ("{{= workflow.parameters.n + '!' }}", "4!"),
        ('{{=[1, "a<b"]}}', '[1,"a\\u003cb"]'),
        ('{{={"a": 1}}}', '{{={"a": 1}}}'),
        ('{{={"a": 1} }}', '{"a":1}'),
        ("{{=unknown}}", "{{=unknown}}"),
        ("{{=1 +}}", "{{=1 +}}"),
        ("{{=inputs.parameters.x ?? 'd'}}", "{{=inputs.parameters.x ?? 'd'}}"),
        ("{{=item == nil ? 'a' : 'b'}}", "{{=item == nil ? 'a' : 'b'}}"),
        ("{{=workflow.parameters.zzz}}", "{{=workflow.parameters.zzz}}"),
    ],
)
def test_expressions_in_tags(text: str, expected: str) -> None:
    assert json.loads(replace(json.dumps(text), SCOPE)) == expected


def test_expressions_that_must_have_their_value_by_now() -> None:
    strict = ("tasks", "steps")
    assert replace('"{{=tasks.S.outputs.parameters.o ?? tasks.A.outputs.result}}"', SCOPE, strict=strict) == '"ok"'
    with pytest.raises(Unresolved, match=r"failed to evaluate expression: tasks\.B"):
        replace('"{{=tasks.B.outputs.result}}"', SCOPE, strict=strict)
    with pytest.raises(Unresolved, match="failed to evaluate expression"):
        replace('"{{=tasks.S.outputs.parameters.o}}"', SCOPE, strict=strict)
    with pytest.raises(AbsentOptional):
        replace('"{{tasks.S.outputs.parameters.o}}"', SCOPE, strict=strict)
    assert replace('"{{=item.a}}"', SCOPE, strict=strict) == '"{{=item.a}}"'
