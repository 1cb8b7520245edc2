/**
 * Facts of the two groups that live outside k8s.io/api (apiextensions.k8s.io, apiregistration.k8s.io), and of types whose order no sample shows,
 * in the form of the facts file, field order as in Go. Source: https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/ and the groups' published protobuf definitions.
 * A line is `name number GoType flags`; flags: o = omitempty.
 */
const TYPES = {
  'apimachinery.meta.v1.APIResource': `name 1 string; singularName 6 string; namespaced 2 bool; group 8 string o; version 9 string o; kind 3 string; verbs 4 Verbs;
    shortNames 5 []string o; categories 7 []string o; storageVersionHash 10 string o`,
  'apimachinery.meta.v1.WatchEvent': `type 1 string; object 2 runtime.RawExtension`,
  'apiextensions.v1.CustomResourceDefinition': `metadata 1 metav1.ObjectMeta o; spec 2 CustomResourceDefinitionSpec; status 3 CustomResourceDefinitionStatus o`,
  'apiextensions.v1.CustomResourceDefinitionSpec': `group 1 string; names 3 CustomResourceDefinitionNames; scope 4 ResourceScope; versions 7 []CustomResourceDefinitionVersion;
    conversion 9 *CustomResourceConversion o; preserveUnknownFields 10 bool o`,
  'apiextensions.v1.CustomResourceDefinitionNames': `plural 1 string; singular 2 string o; shortNames 3 []string o; kind 4 string; listKind 5 string o; categories 6 []string o`,
  'apiextensions.v1.CustomResourceDefinitionVersion': `name 1 string; served 2 bool; storage 3 bool; deprecated 7 bool o; deprecationWarning 8 *string o;
    schema 4 *CustomResourceValidation o; subresources 5 *CustomResourceSubresources o; additionalPrinterColumns 6 []CustomResourceColumnDefinition o;
    selectableFields 9 []SelectableField o`,
  'apiextensions.v1.CustomResourceColumnDefinition': `name 1 string; type 2 string; format 3 string o; description 4 string o; priority 5 int32 o; jsonPath 6 string`,
  'apiextensions.v1.CustomResourceConversion': `strategy 1 ConversionStrategyType; webhook 2 *WebhookConversion o`,
  'apiextensions.v1.WebhookConversion': `clientConfig 2 *WebhookClientConfig o; conversionReviewVersions 3 []string`,
  'apiextensions.v1.WebhookClientConfig': `url 3 *string o; service 1 *ServiceReference o; caBundle 2 []byte o`,
  'apiextensions.v1.ServiceReference': `namespace 1 string; name 2 string; path 3 *string o; port 4 *int32 o`,
  'apiextensions.v1.CustomResourceDefinitionCondition': `type 1 CustomResourceDefinitionConditionType; status 2 ConditionStatus; lastTransitionTime 3 metav1.Time o;
    reason 4 string o; message 5 string o; observedGeneration 6 int64 o`,
  'apiextensions.v1.CustomResourceDefinitionStatus': `conditions 1 []CustomResourceDefinitionCondition; acceptedNames 2 CustomResourceDefinitionNames;
    storedVersions 3 []string; observedGeneration 4 int64 o`,
  'apiextensions.v1.CustomResourceValidation': `openAPIV3Schema 1 *JSONSchemaProps o`,
  'apiextensions.v1.CustomResourceSubresources': `status 1 *CustomResourceSubresourceStatus o; scale 2 *CustomResourceSubresourceScale o`,
  'apiextensions.v1.CustomResourceSubresourceStatus': ``,
  'apiextensions.v1.CustomResourceSubresourceScale': `specReplicasPath 1 string; statusReplicasPath 2 string; labelSelectorPath 3 *string o`,
  'apiextensions.v1.SelectableField': `jsonPath 1 string`,
  'apiextensions.v1.ExternalDocumentation': `description 1 string o; url 2 string o`,
  'apiextensions.v1.ValidationRule': `rule 1 string; message 2 string o; messageExpression 3 string o; reason 4 *FieldValueErrorReason o; fieldPath 5 string o;
    optionalOldSelf 6 *bool o`,
  'apiextensions.v1.JSONSchemaProps': `id 1 string o; $schema 2 JSONSchemaURL o; $ref 3 *string o; description 4 string o; type 5 string o; format 6 string o; title 7 string o;
    default 8 *JSON o; maximum 9 *float64 o; exclusiveMaximum 10 bool o; minimum 11 *float64 o; exclusiveMinimum 12 bool o; maxLength 13 *int64 o;
    minLength 14 *int64 o; pattern 15 string o; maxItems 16 *int64 o; minItems 17 *int64 o; uniqueItems 18 bool o; multipleOf 19 *float64 o; enum 20 []JSON o;
    maxProperties 21 *int64 o; minProperties 22 *int64 o; required 23 []string o; items 24 *JSONSchemaPropsOrArray o; allOf 25 []JSONSchemaProps o;
    oneOf 26 []JSONSchemaProps o; anyOf 27 []JSONSchemaProps o; not 28 *JSONSchemaProps o; properties 29 map[string]JSONSchemaProps o;
    additionalProperties 30 *JSONSchemaPropsOrBool o; patternProperties 31 map[string]JSONSchemaProps o; dependencies 32 JSONSchemaDependencies o;
    additionalItems 33 *JSONSchemaPropsOrBool o; definitions 34 JSONSchemaDefinitions o; externalDocs 35 *ExternalDocumentation o; example 36 *JSON o;
    nullable 37 bool o; x-kubernetes-preserve-unknown-fields 38 *bool o; x-kubernetes-embedded-resource 39 bool o; x-kubernetes-int-or-string 40 bool o;
    x-kubernetes-list-map-keys 41 []string o; x-kubernetes-list-type 42 *string o; x-kubernetes-map-type 43 *string o;
    x-kubernetes-validations 44 ValidationRules o`,
  'apiregistration.v1.APIService': `metadata 1 metav1.ObjectMeta o; spec 2 APIServiceSpec o; status 3 APIServiceStatus o`,
  'apiregistration.v1.APIServiceSpec': `service 1 *ServiceReference o; group 2 string o; version 3 string o; insecureSkipTLSVerify 4 bool o; caBundle 5 []byte o;
    groupPriorityMinimum 7 int32; versionPriority 8 int32`,
  'apiregistration.v1.APIServiceStatus': `conditions 1 []APIServiceCondition o`,
  'apiregistration.v1.APIServiceCondition': `type 1 APIServiceConditionType; status 2 ConditionStatus; lastTransitionTime 3 metav1.Time o; reason 4 string o; message 5 string o`,
  'apiregistration.v1.ServiceReference': `namespace 1 string o; name 2 string o; port 3 *int32 o`,
};

/** Joins the lines above into the facts, field names in Go order (which the join keeps for types no sample shows). */
export function addExtensionFacts(facts) {
  for (const [name, text] of Object.entries(TYPES)) {
    const fields = {};
    if (/\.(CustomResourceDefinition|APIService)$/.test(name)) fields['<inline>metav1.TypeMeta'] = { go: 'metav1.TypeMeta' };
    let order = 0;
    for (const line of text
      .split(';')
      .map((part) => part.trim())
      .filter(Boolean)) {
      const [field, number, go, flags = ''] = line.split(/\s+/);
      fields[field] = { go, proto: Number(number), omitempty: flags.includes('o'), order: order++ };
    }
    facts[name] = fields;
  }
}
