import { z } from 'zod';
import {
  AssetInput,
  isoDuration,
  JobHead,
  JobIdentity,
  keysOf,
  Outputs,
  toInput,
  toJobHead,
  toJobIdentity,
  toOutputs,
} from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';
import { type References } from '../references.ts';

const METRICS = {
  accuracy: 'Accuracy',
  auc_weighted: 'AUCWeighted',
  average_precision_score_weighted: 'AveragePrecisionScoreWeighted',
  norm_macro_recall: 'NormMacroRecall',
  precision_score_weighted: 'PrecisionScoreWeighted',
} as const;
const ALGORITHMS = {
  bernoulli_naive_bayes: 'BernoulliNaiveBayes',
  decision_tree: 'DecisionTree',
  extreme_random_trees: 'ExtremeRandomTrees',
  gradient_boosting: 'GradientBoosting',
  knn: 'KNN',
  light_gbm: 'LightGBM',
  linear_svm: 'LinearSVM',
  logistic_regression: 'LogisticRegression',
  multinomial_naive_bayes: 'MultinomialNaiveBayes',
  random_forest: 'RandomForest',
  sgd: 'SGD',
  svm: 'SVM',
  xg_boost_classifier: 'XGBoostClassifier',
} as const;
const TRANSFORMERS = {
  text_target_encoder: 'TextTargetEncoder',
  one_hot_encoder: 'OneHotEncoder',
  cat_target_encoder: 'CatTargetEncoder',
  tf_idf: 'TfIdf',
  wo_e_target_encoder: 'WoETargetEncoder',
  label_encoder: 'LabelEncoder',
  word_embedding: 'WordEmbedding',
  naive_bayes: 'NaiveBayes',
  count_vectorizer: 'CountVectorizer',
  hash_one_hot_encoder: 'HashOneHotEncoder',
} as const;

const Limits = z.strictObject({
  timeout_minutes: z.number().positive().optional(),
  trial_timeout_minutes: z.number().positive().optional(),
  max_trials: z.number().int().positive().optional(),
  max_concurrent_trials: z.number().int().positive().optional(),
  max_cores_per_trial: z.number().int().optional(),
  enable_early_termination: z.boolean().optional(),
  exit_score: z.number().optional(),
});
const Featurization = z.strictObject({
  mode: z.enum(['auto', 'off', 'custom']).default('auto'),
  blocked_transformers: z.array(z.enum(keysOf(TRANSFORMERS))).optional(),
  column_name_and_types: z.record(z.string(), z.string()).optional(),
  dataset_language: z.string().optional(),
  enable_dnn_featurization: z.boolean().optional(),
});
const Training = z.strictObject({
  enable_dnn_training: z.boolean().optional(),
  enable_model_explainability: z.boolean().optional(),
  enable_onnx_compatible_models: z.boolean().optional(),
  enable_stack_ensemble: z.boolean().optional(),
  enable_vote_ensemble: z.boolean().optional(),
  allowed_training_algorithms: z.array(z.enum(keysOf(ALGORITHMS))).optional(),
  blocked_training_algorithms: z.array(z.enum(keysOf(ALGORITHMS))).optional(),
});

/** Of AutoML's tasks, classification of tables: the others are refused by name. */
export const AutoMLJob = z.strictObject({
  ...JobHead,
  type: z.literal('automl').default('automl'),
  task: z.literal('classification'),
  primary_metric: z.enum(keysOf(METRICS)).optional(),
  target_column_name: z.string(),
  positive_label: z.string().optional(),
  training_data: AssetInput,
  validation_data: AssetInput.optional(),
  validation_data_size: z.number().optional(),
  test_data: AssetInput.optional(),
  test_data_size: z.number().optional(),
  n_cross_validations: z.union([z.literal('auto'), z.number().int()]).optional(),
  cv_split_column_names: z.array(z.string()).optional(),
  weight_column_name: z.string().optional(),
  log_verbosity: z.enum(['not_set', 'debug', 'info', 'warning', 'error', 'critical']).default('info'),
  limits: Limits.optional(),
  featurization: Featurization.optional(),
  training: Training.optional(),
  compute: z.string().optional(),
  outputs: Outputs.optional(),
  identity: JobIdentity.optional(),
});
export type AutoMLJob = z.infer<typeof AutoMLJob>;

export async function toAutoMLJob(job: AutoMLJob, from: string, references: References): Promise<JsonObject> {
  return compact({
    jobType: 'AutoML',
    ...toJobHead(job),
    computeId: job.compute === undefined ? undefined : references.compute(job.compute),
    outputs: toOutputs(job.outputs) ?? {},
    identity: toJobIdentity(job.identity),
    taskDetails: await toClassification(job, from, references),
  });
}

async function toClassification(job: AutoMLJob, from: string, references: References): Promise<JsonObject> {
  const data = async (input: AssetInput | undefined) =>
    input === undefined ? undefined : toInput(input, from, references);
  return compact({
    taskType: 'Classification',
    logVerbosity: pascal(job.log_verbosity),
    primaryMetric: job.primary_metric === undefined ? undefined : METRICS[job.primary_metric],
    targetColumnName: job.target_column_name,
    positiveLabel: job.positive_label,
    trainingData: await data(job.training_data),
    validationData: await data(job.validation_data),
    validationDataSize: job.validation_data_size,
    testData: await data(job.test_data),
    testDataSize: job.test_data_size,
    nCrossValidations: toFolds(job.n_cross_validations),
    cvSplitColumnNames: job.cv_split_column_names,
    weightColumnName: job.weight_column_name,
    limitSettings: toLimits(job.limits),
    featurizationSettings: toFeaturization(job.featurization),
    trainingSettings: toTraining(job.training),
  });
}

function toFolds(folds: AutoMLJob['n_cross_validations']): JsonObject | undefined {
  if (folds === undefined) return undefined;
  return folds === 'auto' ? { mode: 'Auto' } : { mode: 'Custom', value: folds };
}

function toLimits(limits: AutoMLJob['limits']): JsonObject | undefined {
  if (limits === undefined) return undefined;
  const minutes = (value: number | undefined) => (value === undefined ? undefined : isoDuration(value * 60));
  return compact({
    timeout: minutes(limits.timeout_minutes),
    trialTimeout: minutes(limits.trial_timeout_minutes),
    maxTrials: limits.max_trials,
    maxConcurrentTrials: limits.max_concurrent_trials,
    maxCoresPerTrial: limits.max_cores_per_trial,
    enableEarlyTermination: limits.enable_early_termination,
    exitScore: limits.exit_score,
  });
}

function toFeaturization(featurization: AutoMLJob['featurization']): JsonObject | undefined {
  if (featurization === undefined) return undefined;
  return compact({
    mode: featurization.mode,
    blockedTransformers: featurization.blocked_transformers?.map((name) => TRANSFORMERS[name]),
    columnNameAndTypes: featurization.column_name_and_types,
    datasetLanguage: featurization.dataset_language,
    enableDnnFeaturization: featurization.enable_dnn_featurization,
  });
}

function toTraining(training: AutoMLJob['training']): JsonObject | undefined {
  if (training === undefined) return undefined;
  return compact({
    enableDnnTraining: training.enable_dnn_training,
    enableModelExplainability: training.enable_model_explainability,
    enableOnnxCompatibleModels: training.enable_onnx_compatible_models,
    enableStackEnsemble: training.enable_stack_ensemble,
    enableVoteEnsemble: training.enable_vote_ensemble,
    allowedTrainingAlgorithms: training.allowed_training_algorithms?.map((name) => ALGORITHMS[name]),
    blockedTrainingAlgorithms: training.blocked_training_algorithms?.map((name) => ALGORITHMS[name]),
  });
}

function pascal(snake: string): string {
  return snake.replace(/(?:^|_)(\w)/gu, (_, letter: string) => letter.toUpperCase());
}
