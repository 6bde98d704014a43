#include "workflows/shell_script.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "support/sanitizer.h"
#include "workflows/flows.h"

using namespace canorun::workflows;

namespace {

/// `@` stands for a template.
std::vector<HolePlace> scan(std::string script) {
  std::replace(script.begin(), script.end(), '@', kHole);
  return scan_shell_script(script);
}

/// U, D or R for each hole.
std::string places(const std::string& script) {
  std::string out;
  for (const HolePlace& hole : scan(script)) out += "UDR"[static_cast<int>(hole.quoting)];
  return out;
}

std::string why(const std::string& script) {
  const auto holes = scan(script);
  return holes.empty() ? "no hole" : holes.back().why;
}

std::string substituted(const std::string& script) {
  const auto holes = scan(script);
  std::string out;
  std::size_t next = 0;
  for (const char c : script) {
    if (c != '@') {
      out += c;
      continue;
    }
    REQUIRE_MESSAGE(holes[next].quoting != Quoting::kRefused, script);
    out += shell_reference(holes[next].quoting, next + 1);
    ++next;
  }
  return out;
}

struct Shell {
  std::string path;
  std::string name;  ///< as which it is started: bash is another one as `sh`
};

std::vector<Shell> shells() {
  // A sanitizer watches us, not the shells.
  if (canorun::test::kSanitized) return {{"/bin/dash", "sh"}};
  return {{"/bin/dash", "sh"}, {"/bin/bash", "bash"}, {"/bin/bash", "sh"}};
}

/// What a shell prints for a script that runs in `folder`, with `value` in every reference and in NAME. Not
/// forked: that would copy the tables of a large process, thousands of times.
std::string run(const Shell& shell, const std::string& folder, const std::string& script, const std::string& value) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
  ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  for (const auto* name : {"CANORUN_V1", "CANORUN_V2", "CANORUN_V3", "NAME"}) ::setenv(name, value.c_str(), 1);
  std::string option = "-ec";
  std::array<char*, 4> argv{const_cast<char*>(shell.name.c_str()), option.data(), const_cast<char*>(script.c_str()),
                            nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, shell.path.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  REQUIRE(failed == 0);
  std::string out;
  std::array<char, 4096> buffer;
  for (ssize_t count; (count = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(count));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK_MESSAGE(status == 0, script);
  return out;
}

// Each would do something if it were read as anything but a value: what it would do leaves a file.
const std::vector<std::string> kValues{"plain",
                                       "",
                                       " two  words\tand a tab ",
                                       "it's \"quoted\" \\ back",
                                       "$(touch never) `touch never` ${HOME} $HOME $$ $1",
                                       "a\nb\n\nc",
                                       "; touch never; #",
                                       "* ? [a-z] ~ {a,b} ~root",
                                       "-n -e",
                                       "-",
                                       "--",
                                       "-v",
                                       "!",
                                       "!! !1",
                                       "%s %d %n %%",
                                       "\\n \\t \\0 \\c \\x41",
                                       "$((1+1)) && || | & > never < <<EOF\nEOF",
                                       "\xC3\xBCn\xC3\xAF"
                                       "code \xE2\x82\xAC",
                                       "\xFF\xFE no UTF-8",
                                       "'; touch never; '",
                                       "\"; touch never; \"",
                                       ") touch never",
                                       "a[$(touch never)]",
                                       "-va[$(touch never)]",
                                       "never$(touch never)",
                                       "x=1",
                                       "\\",
                                       "\"",
                                       "'",
                                       "`",
                                       "$",
                                       "#",
                                       "a\\\nb",
                                       "a\r\nb\r",
                                       "E\nEOF\n.",
                                       "\tEOF"};

/// Runs scripts in every shell with every value. In what a script prints, V is the value.
void check_values_stay(const std::vector<std::pair<std::string, std::string>>& scripts) {
  const testing::TempFolder folder;
  for (const Shell& shell : shells()) {
    for (const auto& [script, wanted] : scripts) {
      const std::string text = substituted(script);
      for (const std::string& value : kValues) {
        std::string expected = wanted;
        for (std::size_t at = 0; (at = expected.find('V', at)) != std::string::npos; at += value.size())
          expected.replace(at, 1, value);
        CHECK_MESSAGE(run(shell, folder.path(), text, value) == expected,
                      shell.path << " as " << shell.name << ": " << text << " with " << value);
      }
    }
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

std::string hint(const std::string& script) {
  const auto holes = scan(script);
  return holes.empty() ? "no hole" : std::string(holes.back().hint);
}

}  // namespace

TEST_CASE("where a template may stand") {
  CHECK(places("echo @") == "U");
  CHECK(places("echo a@b \"x @ y\" --k=@") == "UDU");
  CHECK(places("x=@ y=\"@\" cmd") == "UD");
  CHECK(places("echo $(printf %s @ \"@\") \"$(printf %s @ \"@\")\"") == "UDUD");
  CHECK(places("echo `printf %s @`") == "U");
  CHECK(places("cat <<EOF\na @ 'b @' \"c @\"\nEOF\necho @") == "DDDU");
  CHECK(places("cat <<-EOF\n\t@\n\tEOF\necho @") == "DU");
  CHECK(places("cat <<A <<B\n@\nA\n@\nB\necho @") == "DDU");
  CHECK(places("cat <<EOF\n$(printf %s @ '\n')\nEOF\necho @") == "UU");
  CHECK(places("cmd > @ 2>&1 < \"@\"") == "UD");
  CHECK(places("if [ @ = x ]; then echo @; elif true; then echo @; else echo @; fi") == "UUUU");
  CHECK(places("for i in @ \"@\"; do echo $i @; done") == "UDU");
  CHECK(places("while read -r a b; do echo @; done < @") == "UU");
  CHECK(places("case @ in a|b) echo @ ;; (c) echo @;; *) echo @; esac; echo @") == "UUUUU");
  CHECK(places("x=$(case a in a) echo @ ;; esac); echo @") == "UU");
  CHECK(places("f() { echo @; }; f @; (cd @ && echo @)") == "UUUU");
  CHECK(places("echo a#@ # comment\necho @") == "UU");
  CHECK(places("echo a \\\n  @ # it's\necho '#' @") == "UU");
  CHECK(places("./@ x; dir/@.sh; \"@/bin/x\" @") == "UUDU");
  CHECK(places("export A=@ B=\"@\"; readonly C=@; local D=@") == "UDUU");
  CHECK(places("echo ${x:-y} ${#x} $(( 1 + 2 )) $1 @") == "U");
  CHECK(places("! grep -q @ f && { echo @; } || exit 1") == "UU");
  CHECK(places("echo \"a\\\"b @\" 'c\"d' @ \\\" @") == "DUU");
  CHECK(places("printf '%s\\n' @ | sort | (read x; echo @) & wait") == "UU");
  CHECK(places("2>@ echo @") == "UU");
  CHECK(places("cat <<EOF | grep @\n@\nEOF\n") == "UD");
  CHECK(places("echo \"${HOME}/@\" \"$USER@\"") == "DD");
  CHECK(places("read -r x < @; read -r x < \"dir/@\"; wait > @; eval x < \"$(cat @)\"") == "UDUU");
  CHECK(places("echo \"${file#\"$dir\"/}\" \"${x:-\"d e\"}\" @ \"@\"") == "UD");
  CHECK(places("cat <<E\n${file#\"$dir\"/} @\nE\necho @") == "DU");
  CHECK(places("echo \"${a%\"${b%\"$c\"}\"}@\" \"${a%\"$(echo \"@\")\"}\"") == "DR");
}

TEST_CASE("where a template may not stand, and why") {
  CHECK(why("echo '@'") == "single quotes");
  CHECK(why("echo \"'@'\"").empty());
  CHECK(why("echo $'@'") == "$'…'");
  CHECK(why("echo $((1 + @))") == "$(( ))");
  CHECK(why("echo \"$((@))\"") == "$(( ))");
  CHECK(why("cat <<'E'\n@\nE") == "a quoted here-document");
  CHECK(why("cat <<\\E\n@\nE") == "a quoted here-document");
  CHECK(why("cat <<E\"\"F\n@\nEF") == "a quoted here-document");
  CHECK(why("cat <<@\nx\n") == "the delimiter of a here-document");
  CHECK(why("[[ @ == x ]]") == "[[ ]]");
  CHECK(why("[[ x =~ (a|@) ]]") == "[[ ]]");
  CHECK(why("case x in @) ;; esac") == "a case pattern");
  CHECK(why("case x in a) ;; b|\"@\") ;; esac") == "a case pattern");
  CHECK(why("echo x # @") == "a comment");
  CHECK(why("# it's @") == "a comment");
  CHECK(why("eval @") == "the arguments of 'eval'");
  CHECK(why("eval \"echo @\"") == "the arguments of 'eval'");
  CHECK(why("eval \"$(echo @)\"") == "the arguments of 'eval'");
  CHECK(why("eval $(echo $(echo \"@\"))") == "the arguments of 'eval'");
  CHECK(why("echo $((1 + $(echo @)))") == "$(( ))");
  CHECK(why("echo ${x:-$(echo @)}") == "${ }");
  CHECK(why("[[ $(echo @) == x ]]") == "[[ ]]");
  CHECK(why("case x in $(echo @)) ;; esac") == "a case pattern");
  CHECK(why("eval \"$(cat <<E\n@\nE\n)\"") == "the arguments of 'eval'");
  CHECK(why("FOO=1 'ev'\"al\" @") == "the arguments of 'eval'");
  CHECK(why("if true; then \\eval @; fi") == "the arguments of 'eval'");
  CHECK(why("command eval @") == "the arguments of 'eval'");
  CHECK(why("command -p eval @") == "the arguments of 'eval'");
  CHECK(why("time -p eval @") == "the arguments of 'eval'");
  CHECK(why("2>x eval @") == "the arguments of 'eval'");
  CHECK(why(">x eval @") == "the arguments of 'eval'");
  CHECK(why("{ eval @; }") == "the arguments of 'eval'");
  CHECK(why("(true) && ! eval @") == "the arguments of 'eval'");
  CHECK(why("for i do eval @; done") == "the arguments of 'eval'");
  CHECK(why("case x in x) eval @;; esac") == "the arguments of 'eval'");
  CHECK(why("f() eval @") == "the arguments of 'eval'");
  CHECK(why("trap \"rm @\" EXIT") == "the arguments of 'trap'");
  CHECK(why("unset @") == "the arguments of 'unset'");
  CHECK(why("read @") == "the arguments of 'read'");
  CHECK(why("let @") == "the arguments of 'let'");
  CHECK(why("export @") == "the arguments of 'export', but behind NAME=");
  CHECK(why("export \"@=1\"") == "the arguments of 'export', but behind NAME=");
  CHECK(why("local -r x=@") == "the arguments of 'local' with options");
  CHECK(why("[ -v @ ]") == "'[ -v'");
  CHECK(why("printf -v \"@\" x") == "the options or the format of 'printf'");
  CHECK(why("@ --version") == "the name of a command");
  CHECK(why("X=1 \"@\" x") == "the name of a command");
  CHECK(why("a; x$@ y") == "the place behind a '$'");
  CHECK(why("command -v @").empty());
  CHECK(why("command -pV @ @").empty());
  CHECK(why("command -v\"$x\" @") == "the name of a command");
  CHECK(why("command -v x; command eval @") == "the arguments of 'eval'");
  CHECK(why("a[@]=1") == "an array index");
  CHECK(why("echo ${x:-@}") == "${ }");
  CHECK(why("echo \"${x#@}\"") == "${ }");
  CHECK(why("echo \"`echo @`\"") == "backticks");
  CHECK(why("echo `echo \\`@\\``") == "backticks");
  CHECK(why("echo \\@") == "the place behind a backslash");
  CHECK(why("echo \"\\@\"") == "the place behind a backslash");
  CHECK(why("cat <<E\n\\@\nE") == "the place behind a backslash");
  CHECK(why("echo \"$@\"") == "the place behind a '$'");
  CHECK(why(". @") == "the arguments of '.'");
  CHECK(why("$cmd @") == "the arguments of a command that is not named literally");
  CHECK(why("\"$dir\"/tool @").empty());
  CHECK(why("[ @ @ ]") == "'[ -v'");
  CHECK(why("[ ! @ @ ]") == "'[ -v'");
  CHECK(why("[ @ = x ]").empty());
  CHECK(why("[ x = y -o @ @ ]") == "'[ -v'");
  CHECK(why("test x = y -a \"$op\" @") == "'test -v'");
  CHECK(why("[ -R @ ]") == "'[ -v'");
  CHECK(why("[ x = @ -a y = @ ]").empty());
  CHECK(why("printf @") == "the options or the format of 'printf'");
  CHECK(why("printf @ @") == "the options or the format of 'printf'");
  CHECK(why("printf \"x@\" a") == "the options or the format of 'printf'");
  CHECK(why("printf \"$format\" @") == "the options or the format of 'printf'");
  CHECK(why("printf -v x @") == "the options or the format of 'printf'");
  CHECK(why("printf '%s %s' @ @").empty());
  CHECK(why("printf -- '%s %s' @ @").empty());
  CHECK(why("printf -v x %s @").empty());
  CHECK(why("exec @ x") == "the name of a command");
  CHECK(why("exec ./server @").empty());
  CHECK(why("wait -n @") == "the arguments of 'wait'");
  CHECK(why("enable @") == "the arguments of 'enable'");
  CHECK(why("echo x >&@") == "the target of '>&'");
  CHECK(why("echo x 2>&\"@\"") == "the target of '>&'");
  CHECK(why("echo x > @ 2>&1").empty());
  CHECK(why("RANDOM=@") == "a value of 'RANDOM', which shells evaluate");
  CHECK(why("PS4=\"x@\" ./run.sh") == "a value of 'PS4', which shells evaluate");
  CHECK(why("export OPTIND=@") == "a value of 'OPTIND', which shells evaluate");
  CHECK(why("PS4+=@") == "a value of 'PS4', which shells evaluate");
  CHECK(why("env PS4=@ ./run.sh").empty());
}

TEST_CASE("what shells read differently refuses all that follows") {
  CHECK(why("((i++)); echo @") == "a script behind parentheses that shells read differently");
  CHECK(why("function f { eval @; }") == "a script behind 'function'");
  CHECK(why("echo $'it\\'s' @") == "a script behind $'…' with a quote in it");
  CHECK(why("echo `unclosed @") == "a script behind a backtick that is not closed");
  CHECK(why("echo x ) @") == "a script behind a ')' that nothing opened");
  CHECK(why("cat <<E\n@\n") == "a here-document that does not end");
  CHECK(places("cat <<$X\nx\n$X\necho @") == "R");
  CHECK(why("alias e=eval\ne @") == "a script behind 'alias'");
  CHECK(why("declare -i n\nn=@") == "a script behind 'declare'");
  CHECK(why("typeset -i n\nn=@") == "a script behind 'typeset'");
  CHECK(why("f() { local -i n; n=@; }") == "a script behind 'local -i'");
  CHECK(why("f() { local -n r; r=@; }") == "a script behind 'local -n'");
  CHECK(why("cat <<E\n$(cat\nE\n)\n@\nE") == "a here-document that shells end in different lines");
  CHECK(why("cat <<-E\n$(cat\n\tE\n)\nE\necho @") ==
        "a script behind a here-document that shells end in different lines");
  CHECK(why("echo x &>y @") == "a script behind '&>', which shells read differently");
  CHECK(why("echo \"$\\\n(eval @)\"") == "a script behind a '$' with a continued line behind it");
  CHECK(why("echo $(\\\n(1 + @))") == "a script behind a '$' with a continued line behind it");
  CHECK(why(". /dev/stdin <<E\n@\nE") == "a script behind '. /dev/stdin'");
  CHECK(why("cat <(echo @)") == "a script behind a process substitution, which is not POSIX");
  CHECK(why("echo \"${x:-'}'}\" @") == "a script behind quotes in ${ } in double quotes");
  CHECK(why("echo \"${x:-\"'\"}\" @") == "a script behind quotes in ${ } in double quotes");
  CHECK(why("echo \"${x:-\"}\"}\" @") == "a script behind quotes in ${ } in double quotes");
  CHECK(why("echo \"${x:-\"\\\"\"}\" @") == "a script behind quotes in ${ } in double quotes");
  CHECK(why("echo \"${x:-\"a}\" @") == "a script behind quotes in ${ } in double quotes");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "$(";
  CHECK(why(deep + "echo @") == "a script behind nesting this deep");
  std::string braces;
  for (int i = 0; i < 100'000; ++i) braces += "${x:-";
  CHECK(why(braces + "@") == "a script behind nesting this deep");
}

TEST_CASE("where a template is refused, a reference would not mean its value") {
  struct Row {
    std::string script;
    std::string value;
    std::string dash;
    std::string bash;
  };
  // An index runs a command, which says so on the script's own output.
  const std::string index = "x[$(printf ran >&3)0]";
  const std::vector<Row> rows{
      {"printf '<%s>' '@'", "plain", "<${CANORUN_V1}>", "<${CANORUN_V1}>"},
      {"printf '<%s>' $'@'", "plain", "<$${CANORUN_V1}>", "<${CANORUN_V1}>"},
      {"cat <<'EOF'\n<@>\nEOF", "plain", "<${CANORUN_V1}>\n", "<${CANORUN_V1}>\n"},
      {"printf '<%s>' $((2 * @))", "1 + 1", "<3>", "<3>"},
      {"exec 3>&1; printf '<%s>' $((1 + @))", index, "", "ran<1>"},
      {"[[ plain == @ ]] && printf yes", "*", "", "yes"},
      {"exec 3>&1; [[ 0 -eq @ ]] && printf yes", index, "", "ranyes"},
      {"case plain in @) printf yes ;; esac", "*", "yes", "yes"},
      {"eval \"printf '<%s>' @\"", "a; printf ran", "<a>ran", "<a>ran"},
      {"printf '<%s>' a # @", "plain", "<a>", "<a>"},
  };
  const testing::TempFolder folder;
  for (const Shell& shell : shells()) {
    for (const Row& row : rows) {
      CHECK_MESSAGE(places(row.script) == "R", row.script);
      std::string text = row.script;
      text.replace(text.find('@'), 1, shell_reference(Quoting::kDoubleQuoted, 1));
      text = "(\n" + text + "\n) 2>/dev/null || :";
      CHECK_MESSAGE(run(shell, folder.path(), text, row.value) == (shell.path == "/bin/dash" ? row.dash : row.bash),
                    shell.path << ": " << text);
    }
  }
}

TEST_CASE("arrays, which are not POSIX, are no way around") {
  CHECK(why("x=([0]=a [@]=b)") == "a script behind an array literal");
  CHECK(why("x=(a [@]=1)") == "a script behind an array literal");
  CHECK(why("x+=(a [@]=1)") == "a script behind an array literal");
  CHECK(why("x=(a [k@]=v)") == "a script behind an array literal");
  CHECK(why("x=([1/@]=1)") == "a script behind an array literal");
  CHECK(why("n[1 + @]=2") == "a script behind 'n[1'");
  CHECK(why("n[1 +\t\"@\"]=2") == "a script behind 'n[1'");
  CHECK(why("n[a[1]=1 + @]=2") == "a script behind 'n[a[1]=1'");
  CHECK(why("export n[1 + x=@ ]=2") == "a script behind 'export n[1'");
  CHECK(why(": {a[@]}>f") == "an array index");
  CHECK(why("echo x {a[\"@\"]}>f") == "an array index");
  CHECK(why(": {a[$(echo @)]}<&1") == "an array index");
}

TEST_CASE("a here-document that shells end in different lines makes all behind it refused") {
  CHECK(why("a=$(cat <<EOF\nx\nEOF)\nprintf '<%s>' @\ncat <<EOF\ny\nEOF") ==
        "a here-document that shells end in different lines");
  CHECK(why("a=$(cat <<EOF\n@\nEOF)\nx\nEOF\n)") == "a here-document that shells end in different lines");
  CHECK(why("a=$(cat <<-'EOF'\nx\n\tEOF; echo )\nEOF\n)\necho @") ==
        "a script behind a here-document that shells end in different lines");
  CHECK(why("cat <<EOF\nE\\\nOF\neval @\nEOF") == "a here-document that shells end in different lines");
  CHECK(why("cat <<EOF\n@\nEOF\\\n\neval\nEOF\n") == "a here-document that shells end in different lines");
  CHECK(why("cat <<-EOF\n\tE\\\nOF\nx\nEOF\necho @") ==
        "a script behind a here-document that shells end in different lines");
  CHECK(why("cat <<EOF\n\\\\\\\nEOF\nx\nEOF\necho @") ==
        "a script behind a here-document that shells end in different lines");
  CHECK(why("cat <<\\\n-E\nx\nE\neval @\n-E") == "a script behind a redirection with a continued line behind it");
  CHECK(why("cat <<\\\n<x\neval @\n\n") == "a script behind a redirection with a continued line behind it");
  CHECK(why("cat <<-\\\nE\n@\nE") == "a script behind a redirection with a continued line behind it");
  CHECK(why("cat <<E | [[ a &&\nx\nE\na ]]\neval @\nE") == "a script behind [[ ]] that shells read differently");
  CHECK(why("[[ a == a && # \"\n a == a ]]; printf '<%s>' \" ]] ; echo \" @ \" z\"") ==
        "a script behind [[ ]] that shells read differently");
  CHECK(why("[[ a <<E ]] || echo \"\nE\n@\n\"") == "a script behind [[ ]] that shells read differently");
  CHECK(why("eval &\\\n>f echo @") == "a script behind a '&' with a continued line behind it");
  CHECK(why("<<E . /dev/stdin\n@\nE") == "a script behind a here-document that is run");
  CHECK(why("{ . /dev/stdin; } <<E\n@\nE") == "a script behind '. /dev/stdin'");
  CHECK(why("source /dev/fd/3 3<<E\n@\nE") == "a script behind 'source /dev/fd/3'");
  CHECK(why("<<E . \"$FILE\"\n@\nE") == "a script behind a here-document that is run");
}

TEST_CASE("variables that shells evaluate are refused in whatever way they are set") {
  CHECK(why("for PS4 in @; do set -x; :; done") == "a script behind 'for PS4'");
  CHECK(why("read -r PS4 <<E\n@\nE\nset -x; :") == "a script behind 'read PS4'");
  CHECK(why("for RANDOM in @; do :; done") == "a script behind 'for RANDOM'");
  CHECK(why("IFS= read -r a RANDOM <<E\n@\nE") == "a script behind 'read RANDOM'");
  CHECK(why("printf -v RANDOM %s @") == "a script behind 'printf RANDOM'");
  CHECK(why("printf -vPS4 %s @") == "a script behind 'printf -vPS4'");
  CHECK(why("printf -v 'PS4[0]' %s @") == "a script behind 'printf PS4[0]'");
  CHECK(why("readarray -t PS4 <<E\n@\nE") == "a script behind 'readarray PS4'");
  CHECK(why("BASH_ALIASES[foo]=@") == "a value of 'BASH_ALIASES', which shells evaluate");
  CHECK(why("BASH_ALIASES[foo]=eval\nfoo @") == "a script behind 'BASH_ALIASES[foo]=eval'");
  CHECK(why("BASH_ENV=@ ./run.sh") == "a value of 'BASH_ENV', which shells evaluate");
  CHECK(why("set -k; : PS4=@") == "a script behind 'set -k'");
  CHECK(why("set -ek; : PS4=@") == "a script behind 'set -ek'");
  CHECK(why("set -o keyword; : PS4=@") == "a script behind 'set keyword'");
}

TEST_CASE("braces may make a command or an operator") {
  CHECK(why("{eval,:} @") == "a script behind '{eval,:}'");
  CHECK(why("{eval,echo} @") == "a script behind '{eval,echo}'");
  CHECK(why("ev{al,} @") == "a script behind 'ev{al,}'");
  CHECK(why("ev{a..a}l @") == "a script behind 'ev{a..a}l'");
  CHECK(why("{eval,/@}") == "the name of a command");
  CHECK(why("[ {-v,} @ ]") == "'[ -v'");
  CHECK(why("test {-v,@}") == "'test -v'");
  CHECK(why("{alias,} e=eval\ne @") == "a script behind '{alias,}'");
}

TEST_CASE("more builtins read arguments as code") {
  CHECK(why("set @; touch reached") == "the options of 'set'");
  CHECK(why("set -@") == "the options of 'set'");
  CHECK(why("set -e @") == "the options of 'set'");
  CHECK(why("set -o @") == "the options of 'set'");
  CHECK(why("set -o pipefail @") == "the options of 'set'");
  CHECK(why("set \"$x\" @") == "the options of 'set'");
  CHECK(why("jobs -x eval @") == "the arguments of 'jobs'");
  CHECK(why("shopt -s @") == "the arguments of 'shopt'");
  CHECK(why("hash -p @ x") == "the arguments of 'hash'");
}

TEST_CASE("what a nested command prints is refused where a value would be") {
  CHECK(why("$(echo @)") == "the name of a command");
  CHECK(why("\"$(echo @)\" x") == "the name of a command");
  CHECK(why("`echo @` x") == "the name of a command");
  CHECK(why("a[$(echo @)]=1") == "an array index");
  CHECK(why("[ -v \"$(echo @)\" ]") == "'[ -v'");
  CHECK(why("printf \"x$(echo @)\"") == "the options or the format of 'printf'");
  CHECK(why("set $(echo @)") == "the options of 'set'");
  CHECK(why("export \"$(echo @)\"") == "the arguments of 'export', but behind NAME=");
  CHECK(why("PS4=$(echo @)") == "a value of 'PS4', which shells evaluate");
  CHECK(why("echo >&$(echo @)") == "the target of '>&'");
  CHECK(why("RANDOM=`echo @`") == "a value of 'RANDOM', which shells evaluate");
  CHECK(places("x=$(echo @); [ \"$(echo @)\" = x ]; printf %s \"$(echo @)\"; export x=\"$(echo @)\"; \"$(dirname "
               "@)/tool\" x; set -- $(echo `echo @`)") == "UUUUUU");
}

TEST_CASE("what only looks like it is taken") {
  CHECK(places("x=$(echo @)") == "U");
  CHECK(places("f() (echo @)") == "U");
  CHECK(places("echo {@}>f {\"a\":\"@\"} >f") == "UD");
  CHECK(places("echo x{a[@]} >f") == "U");
  CHECK(places("[ @ = x ] && a[1]=@") == "UU");
  CHECK(places("cat <<EOF\na \\\nb @\\\\\nEOF\necho @") == "DU");
  CHECK(places("cat <<EOF\nE\\\nOFF @\nEOF\necho @") == "DU");
  CHECK(places("a=$(cat <<EOF\nx) @\n EOF)\nEOF\n)\necho @") == "DU");
  CHECK(places("cat <<EOF\nEOF) @\nEOF\necho @") == "DU");
  CHECK(places("[[ a == b ]] && echo @") == "U");
  CHECK(places("a &&\\\nb @ & c @") == "UU");
  CHECK(places("for i in PS4; do echo @; done; read -r x; printf 'RANDOM %s' @; OPTIND=1; echo @") == "UUU");
  CHECK(places("set -- -k; set -euo pipefail; set a -k; echo @") == "U");
  CHECK(places("mv {a,b} @; curl -d {\"a\":\"@\"} @; [ a.b = @ ]; { echo @; }") == "UDUUU");
  CHECK(places(". ./lib.sh; . /etc/os-release; cat <<E\n@\nE") == "D");
  CHECK(places("set -- @; set - @; set a @; set -e -- @; set x@") == "UUUUU");
}

TEST_CASE("a script of a megabyte is read in one go, whatever stands in it") {
  const std::string many(1 << 20, 'a');
  const std::string equals(1 << 20, '=');
  CHECK(places(many + equals + "@") == "U");
  CHECK(places("echo " + many + equals + "@") == "U");
  CHECK(places(many + std::string(1 << 16, '@')) == std::string(1 << 16, 'R'));
  CHECK(places("f() { local -i" + many + ' ' + std::string(1 << 16, '@')) == std::string(1 << 16, 'R'));
}

TEST_CASE("a refused template has a hint that does not lead to another trap") {
  constexpr auto kCompute = "compute it in the template instead, and give the shell the result";
  constexpr auto kUseEnv = "give the value a name under 'env', and use that name here";
  constexpr auto kWriteOut = "write it into the script itself: some shells read it as code";
  // In some shells an array index in the value of a name is run here.
  for (const auto* script : {"echo $((1 + @))", "a[@]=1", "let @", "echo ${x:@}", "echo ${x:1:@}", "echo ${x[@]}"})
    CHECK_MESSAGE(hint(script) == kCompute, script);
  CHECK(hint("[[ @ -eq 1 ]]") == "compare in the template instead, or with [ ]: there it may stand");
  for (const auto* script : {"eval \"echo @\"", "trap \"rm @\" EXIT"}) {
    CHECK_MESSAGE(hint(script) == "give the value a name under 'env', and use \"$NAME\" here, in single quotes",
                  script);
  }
  for (const auto* script : {"unset @", "read @", "wait -p @", "cat <<@\nx\n"})
    CHECK_MESSAGE(hint(script) == kWriteOut, script);
  CHECK(hint("printf @") == "put a format before it: printf '%s' …");
  CHECK(hint("echo >&@") == "write '> FILE 2>&1' instead");
  for (const auto* script : {"$SUDO systemctl restart @", "\"${CC:-cc}\" -o @", "exec \"$BIN\" @", "\"$@\" @"}) {
    CHECK_MESSAGE(hint(script) == "name the command literally, or by a path: \"$DIR\"/tool", script);
  }
  for (const auto* script : {"[ -v @ ]", "test \"$x\" \"@\""}) {
    CHECK_MESSAGE(hint(script) == "write out the operator before it: [ \"$A\" = … ] or [ -n … ]", script);
  }
  for (const auto* script : {". @", "source ./env.sh @"}) {
    CHECK_MESSAGE(hint(script) == "give the value a name under 'env', which the file can read", script);
  }
  for (const auto* script : {"export @", "export \"X=@\""})
    CHECK_MESSAGE(hint(script) == "write NAME= before it, without quotes around NAME=", script);
  CHECK(hint("local -r x=@") == "assign it in a command of its own: NAME=…");
  CHECK(hint("set @") == "write 'set -- …': what follows the dashes is no option");
  CHECK(hint("RANDOM=@") == "use a variable of another name");
  CHECK(hint("echo \"`echo @`\"") == "write $( ) instead");
  for (const auto* script : {"echo '@'", "cat <<'E'\n@\nE", "case x in @) ;; esac", "echo ${x:-@}", "echo ${x#@}",
                             "# @", "function f { echo @; }"}) {
    CHECK_MESSAGE(hint(script) == kUseEnv, script);
  }
}

TEST_CASE("a value that stands unquoted arrives unchanged and never runs") {
  check_values_stay({
      {"printf '<%s>' @", "<V>"},
      {"printf '<%s>' a@b\"c@d\"", "<aVbcVd>"},
      {"x=@; printf '<%s>' \"$x\"", "<V>"},
      {"export x=@ y=\"@\"; printf '<%s>' \"$x\" \"$y\"", "<V><V>"},
      {"x=@ sh -c 'printf \"<%s>\" \"$x\"'", "<V>"},
      {"for i in @ @; do printf '<%s>' \"$i\"; done", "<V><V>"},
      {"case @ in never) ;; *) printf '<%s>' @;; esac", "<V>"},
      {"f() { printf '<%s>' \"$1\"; }; f @", "<V>"},
      {"if [ @ = \"@\" ]; then printf '<%s>' @; fi", "<V>"},
      {"{ printf '<%s>' @; } | cat", "<V>"},
      {"(printf '<%s>' @)", "<V>"},
      {"set -- @ b; printf '<%s>' \"$1\"", "<V>"},
      {"command -v @ > /dev/null 2>&1 || true; printf '<%s>' @", "<V>"},
      {"printf '<%s>' \\\n  @ # it's\n", "<V>"},
      {"x='#' ; printf '<%s>' @ # it's\n", "<V>"},
  });
}

TEST_CASE("a value in double quotes arrives unchanged and never runs") {
  check_values_stay({
      {"printf '<%s>' \"@\"", "<V>"},
      {"printf '<%s>' \"'@'\"", "<'V'>"},
      {"printf '<%s>' \"a\\\"@\\\"b\"", "<a\"V\"b>"},
      {"printf '<%s>' \"$(printf '%s.' @)\"", "<V.>"},
      {"printf '<%s>' \"$(printf '%s.' \"@\")\"", "<V.>"},
      {"printf '<%s>' \"$(printf '%s.' \"$(printf '%s.' \"@\" )\")\"", "<V..>"},
      {"x=$(printf '%s.' @); printf '<%s>' \"$x\"", "<V.>"},
      {"x=`printf '%s.' @`; printf '<%s>' \"$x\"", "<V.>"},
      {"printf '<%s>' \"@$((1 + 1))@\"", "<V2V>"},
      {"printf '<%s>' \"${x:-y}@\"", "<yV>"},
      {"f=/d/x d=/d; printf '<%s>' \"${f#\"$d\"/}@${x:-\"y  z\"}\" \"@\"", "<xVy  z><V>"},
      {"x=\"$(case a in (a) printf '%s.' \"@\" ;; esac)\"; printf '<%s>' \"$x\"", "<V.>"},
  });
}

TEST_CASE("a value in a here-document arrives unchanged and never runs") {
  check_values_stay({
      {"cat <<EOF\n<@>\nEOF", "<V>\n"},
      {"cat <<EOF\n<'@' \"@\">\nEOF", "<'V' \"V\">\n"},
      {"cat <<-EOF\n\t<@>\n\tEOF\nprintf '<%s>' @", "<V>\n<V>"},
      {"cat <<A; cat <<B\n<@\nA\n@>\nB\nprintf '<%s>' @", "<V\nV>\n<V>"},
      {"cat <<A 3<<'B' - <<C\nx\nA\ny\nB\n<@>\nC\n", "<V>\n"},
      {"x=$(cat <<EOF\n<@>\nEOF\n)\nprintf '%s' \"$x\"", "<V>"},
      {"cat <<EOF\n$(printf '<%s>' @)\nEOF", "<V>\n"},
      {"cat <<EOF | cat\n\\$<@>\nEOF", "$<V>\n"},
      {"while IFS= read -r line; do printf '%s\\n' \"$line\"; done <<EOF\n<@>\nEOF", "<V>\n"},
  });
}

TEST_CASE("what the hints say to do instead keeps values values") {
  check_values_stay({
      {"eval 'printf \"<%s>\" \"$NAME\"'", "<V>"},
      {"trap 'printf \"<%s>\" \"$NAME\"' EXIT", "<V>"},
      {"sh -c 'printf \"<%s>\" \"$NAME\"'", "<V>"},
      {"sh <<'E'\nprintf '<%s>' \"$NAME\"\nE", "<V>"},
      {"case \"$NAME\" in \"$NAME\") printf '<%s>' \"$NAME\" ;; esac", "<V>"},
      {"printf '<%s>' \"${x:-$NAME}\"", "<V>"},
      {"[ @ = \"$NAME\" ] && printf '<%s>' @", "<V>"},
      {"printf '%s' @", "V"},
      {"printf '<%s>' \"$(printf '%s.' @)\"", "<V.>"},
  });
}
