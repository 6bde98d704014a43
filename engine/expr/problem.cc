#include "engine/expr/problem.h"

namespace canorun::expr {

Code code_of(ProblemKind kind) {
  switch (kind) {
    case ProblemKind::kSyntax: return Code::kExpressionSyntax;
    case ProblemKind::kUnknownName:
    case ProblemKind::kUnknownField: return Code::kUnknownName;
    case ProblemKind::kType:
    case ProblemKind::kEvaluation: return Code::kExpressionType;
  }
  return Code::kExpressionType;
}

}  // namespace canorun::expr
